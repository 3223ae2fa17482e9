"""The units that the reward knows, each with its exact size in SI base units.

Sources: the SI Brochure, 9th edition (2019, version 2.01), tables 2 to 8, for SI units, prefixes, the units accepted
beside them and the electronvolt; NIST Special Publication 811 (2008), appendix B.8, for yard, pound, gallon, acre,
calorie, horsepower, the international BTU and pressure; IAU 2012 B2 and IAU 2015 B2 for astronomical unit and parsec;
the Weights and Measures Act 1985 for imperial volumes; IEC 80000-13 for binary prefixes. A year is the Julian year of
365.25 days and a month its twelfth.

A line is: symbols; names in the singular (an s makes the plural, others are given); dimension; factor; how prefixed
(s: with SI prefixes, b: with binary ones too, empty: not). A dimension is a product of base units with their powers.
A factor may be a decimal, a fraction or a product. `≈` before it: the size is itself rounded or irrational.
"""

from __future__ import annotations

LINES = """
m; metre meter; m; 1; s
g; gram gramme; kg; 1/1000; s
s sec secs; second; s; 1; s
A; ampere amp; A; 1; s
K; kelvin; K; 1; s
mol; mole; mol; 1; s
cd; candela; cd; 1; s
Hz; hertz; s-1; 1; s
N; newton; kg m s-2; 1; s
Pa; pascal; kg m-1 s-2; 1; s
J; joule; kg m2 s-2; 1; s
W; watt; kg m2 s-3; 1; s
C; coulomb; A s; 1; s
V; volt; kg m2 s-3 A-1; 1; s
F; farad; kg-1 m-2 s4 A2; 1; s
Ω Ohm; ohm; kg m2 s-3 A-2; 1; s
S; siemens; kg-1 m-2 s3 A2; 1; s
Wb; weber; kg m2 s-2 A-1; 1; s
T; tesla; kg s-2 A-1; 1; s
H; henry henries; kg m2 s-2 A-2; 1; s
lm; lumen; lm; 1; s
lx; lux; lm m-2; 1; s
Bq; becquerel; Bq; 1; s
Ci; curie; Bq; 37000000000; s
Gy; gray; m2 s-2; 1; s
Sv; sievert; Sv; 1; s
rem; rem; Sv; 1/100; s
kat; katal; mol s-1; 1; s
rad; radian; rad; 1; s
sr; steradian; sr; 1; s
L l; litre liter; m3; 1/1000; s
M; molar; mol m-3; 1000; s
eV; electronvolt electron-volt; kg m2 s-2; 1.602176634e-19; s
Da u amu; dalton atomic-mass-unit; kg; ≈1.66053906892e-27; s
cal; calorie; kg m2 s-2; 4.184; s
Cal; dietary-calorie food-calorie; kg m2 s-2; 4184;
bar; bar; kg m-1 s-2; 100000; s
Wh; watt-hour watt-hr; kg m2 s-2; 3600; s
Ah; ampere-hour amp-hour; A s; 3600; s
t; tonne metric-ton metric-tonne; kg; 1000; s
pc; parsec; m; ≈30856775814913673; s
B; byte; bit; 8; b
b bit; bit; bit; 1; b
bps; bit-per-second; bit s-1; 1; b
G Gs; gauss; kg s-2 A-1; 1/10000; s
P; poise; kg m-1 s-1; 1/10; s
dyn; dyne; kg m s-2; 1/100000; s
erg; erg; kg m2 s-2; 1/10000000; s
TNT; ton-of-TNT tons-of-TNT; kg m2 s-2; 4184000000;
Å; angstrom ångström ångstrom; m; 1e-10;
µ; micron; m; 1e-6;
fm; fermi; m; 1e-15;
in; inch inches; m; 0.0254;
ft; foot feet; m; 0.3048;
yd yds; yard; m; 0.9144;
mi; mile statute-mile; m; 1609.344;
nmi NM; nautical-mile; m; 1852;
ftm; fathom; m; 1.8288;
fur; furlong; m; 201.168;
ch; chain; m; 20.1168;
hh; hand; m; 0.1016;
mil thou; mil; m; 0.0000254;
league; league; m; 4828.032;
ly; light-year lightyear; m; 9460730472580800;
lightsecond; light-second; m; 299792458;
lightminute; light-minute; m; 17987547480;
au AU ua; astronomical-unit; m; 149597870700;
ha; hectare; m2; 10000;
ac; acre; m2; 4046.8564224;
cc ccm; cc; m3; 1e-6;
gal; gallon us-gallon; m3; 0.003785411784;
qt; quart; m3; 0.000946352946;
pt; pint; m3; 0.000473176473;
cup; cup; m3; 0.0002365882365;
floz; fluid-ounce; m3; 0.0000295735295625;
tbsp Tbsp tbs; tablespoon; m3; 0.00001478676478125;
tsp; teaspoon; m3; 0.00000492892159375;
impgal; imperial-gallon uk-gallon; m3; 0.00454609;
imppt; imperial-pint uk-pint; m3; 0.00056826125;
bbl; barrel; m3; 0.158987294928;
bu; bushel; m3; 0.03523907016688;
lb lbs lbm; pound; kg; 0.45359237;
oz; ounce; kg; 0.028349523125;
ozt; troy-ounce; kg; 0.0311034768;
gr; grain; kg; 0.00006479891;
st; stone stone; kg; 6.35029318;
cwt; hundredweight; kg; 45.359237;
ton; ton short-ton us-ton; kg; 907.18474;
longton; long-ton imperial-ton; kg; 1016.0469088;
ct; carat; kg; 0.0002;
slug; slug; kg; ≈14.593903;
min mins; minute; s; 60;
h hr hrs; hour; s; 3600;
d; day; s; 86400;
wk wks; week; s; 604800;
fortnight; fortnight; s; 1209600;
mo mos; month; s; 2629800;
yr y yrs; year; s; 31557600; s
a; annum; s; 31557600; s
decade; decade; s; 315576000;
century; century centuries; s; 3155760000;
millennium; millennium millennia millenniums; s; 31557600000;
kph kmh kmph; kilometer-an-hour; m s-1; 5/18;
mph; mile-an-hour; m s-1; 0.44704;
fps; foot-per-second; m s-1; 0.3048;
kn kt kts; knot; m s-1; 463/900;
Mach; mach; Mach; 1;
lbf; pound-force; kg m s-2; 4.4482216152605;
kgf kp; kilogram-force kilopond; kg m s-2; 9.80665;
atm; atmosphere standard-atmosphere; kg m-1 s-2; 101325; s
at; technical-atmosphere; kg m-1 s-2; 98066.5;
psi; pound-per-square-inch pounds-per-square-inch; kg m-1 s-2; 4.4482216152605/0.00064516;
mmHg; millimeter-of-mercury millimeters-of-mercury; kg m-1 s-2; ≈133.322387415;
mmHg; millimetre-of-mercury millimetres-of-mercury; kg m-1 s-2; ≈133.322387415;
inHg; inch-of-mercury inches-of-mercury; kg m-1 s-2; ≈3386.389;
Torr torr; torr; kg m-1 s-2; 101325/760; s
hp; horsepower horsepower; kg m2 s-3; ≈745.69987158227022;
BTU Btu btu; british-thermal-unit; kg m2 s-2; 1055.05585262;
therm; therm; kg m2 s-2; 105505585.262;
ftlb; foot-pound; kg m2 s-2; 1.3558179483314004;
rpm RPM; revolution-per-minute revolutions-per-minute; s-1; 1/60;
° deg; degree; rad; ≈3.14159265358979323846264338327950288/180;
arcmin ′; arcminute arc-minute minute-of-arc minutes-of-arc; rad; ≈3.14159265358979323846264338327950288/10800;
arcsec ″ as; arcsecond arc-second second-of-arc seconds-of-arc; rad; ≈3.14159265358979323846264338327950288/648000;
gon grad; gradian; rad; ≈3.14159265358979323846264338327950288/200;
°R; rankine degree-rankine degrees-rankine; K; 5/9;
dB; decibel; dB; 1;
pH; pH; pH; 1;
ppm; part-per-million parts-per-million; ppm; 1;
ppb; part-per-billion parts-per-billion; ppm; 1/1000;
ppt; part-per-trillion parts-per-trillion; ppm; 1e-6;
D; debye; A s m; ≈3.33564e-30;
dpt; diopter dioptre; m-1; 1;
IU; international-unit; IU; 1; s
px; pixel; px; 1; s
"""

OFFSETS = {
    "°C": (
        "1",
        "273.15",
        "celsius centigrade degree-celsius degrees-celsius degree-centigrade degrees-centigrade degC",
    ),
    "°F": ("5/9", "45967/180", "fahrenheit degree-fahrenheit degrees-fahrenheit degF"),
}
"""Scales with a zero of their own: factor, kelvin at their zero, names. 0 °F is 459.67 °R, so 459.67 x 5/9 K."""

PREFIXES = {
    "quetta": ("Q", 30), "ronna": ("R", 27), "yotta": ("Y", 24), "zetta": ("Z", 21), "exa": ("E", 18),
    "peta": ("P", 15),
    "tera": ("T", 12), "giga": ("G", 9), "mega": ("M", 6), "kilo": ("k", 3), "hecto": ("h", 2), "deca": ("da", 1),
    "deka": ("da", 1), "deci": ("d", -1), "centi": ("c", -2), "milli": ("m", -3), "micro": ("µ", -6), "nano": ("n", -9),
    "pico": ("p", -12), "femto": ("f", -15), "atto": ("a", -18), "zepto": ("z", -21), "yocto": ("y", -24),
}  # fmt: skip
BINARY = {
    "kibi": ("Ki", 1),
    "mebi": ("Mi", 2),
    "gibi": ("Gi", 3),
    "tebi": ("Ti", 4),
    "pebi": ("Pi", 5),
    "exbi": ("Ei", 6),
}
