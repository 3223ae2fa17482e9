"""Closed lists about proper names: titles, legal forms, generic words, countries, common given names. Folded."""

from __future__ import annotations

TITLES = frozenset(
    """dr doctor mr mrs ms miss sir dame lord lady prof professor president king queen prince princess emperor empress
    pope saint st count countess baron baroness duke duchess earl captain general colonel major admiral lieutenant
    sergeant commander senator governor judge justice rev reverend father brother sister bishop archbishop cardinal
    madame mme monsieur herr frau signor signora gen col lt capt sgt gov sen pres maj adm cmdr
    rabbi imam sheikh sultan tsar czar tsarina chancellor premier minister prime chief secretary ambassador mayor
    representative congressman congresswoman hon honorable majesty highness maestro mahatma chairman""".split()
)
MALE = frozenset("mr king prince emperor lord sir duke baron count brother father tsar czar sultan".split())
FEMALE = frozenset(
    "madame mme mrs ms miss queen princess empress lady dame duchess baroness countess sister tsarina".split()
)
SUFFIXES = frozenset("jr sr junior senior esq phd md dsc obe mbe cbe kbe qc frs vc dds mba".split())
PARTICLES = frozenset(
    "van von de der den del della da di du la le el al bin ibn ben af av ter ten zu dos das do y e st".split()
)
SHARED_SURNAMES = frozenset("bush roosevelt adams johnson harrison bronte strauss khan kim".split())
"""Surnames that alone name no one, for several who are asked about bear them."""
KNOWN_BY_GIVEN = frozenset(
    "galileo napoleon leonardo michelangelo raphael dante rembrandt elvis beyonce hannibal titian confucius"
    " oprah".split()
)
GIVEN_VARIANTS = (
    frozenset("steven stephen steve stefan".split()), frozenset("johann johannes john jan jean juan ivan jon".split()),
    frozenset("leo lev leon leonardo".split()), frozenset("william bill will billy wilhelm".split()),
    frozenset("robert bob rob bobby bert".split()), frozenset("richard dick rick".split()),
    frozenset("thomas tom tommy".split()), frozenset("james jim jimmy jamie".split()),
    frozenset("edward ed eddie ted".split()), frozenset("michael mike mikhail".split()),
    frozenset("alexander alex aleksandr alexandr aleksander".split()),
    frozenset("charles charlie chuck karl carl".split()),
    frozenset("joseph joe josef".split()), frozenset("samuel sam".split()), frozenset("benjamin ben".split()),
    frozenset("daniel dan danny".split()), frozenset("david dave".split()), frozenset("anthony tony antony".split()),
    frozenset("nicholas nick nicolas nikolai nicolaus".split()), frozenset("elizabeth liz elisabeth beth".split()),
    frozenset("catherine katherine kate kathryn katharine".split()), frozenset("fyodor feodor fedor theodor".split()),
    frozenset("philip phil phillip".split()), frozenset("geoffrey jeffrey jeff geoff".split()),
    frozenset("matthew matt".split()), frozenset("christopher chris kristopher".split()),
    frozenset("andrew andy".split()),
    frozenset("peter pyotr petr pete".split()), frozenset("ludwig louis lewis".split()),
    frozenset("ronald ron".split()), frozenset("george georges georg jorge".split()),
    frozenset("sergei sergey serge".split()), frozenset("dmitri dmitry dimitri".split()),
    frozenset("genghis chinggis".split()), frozenset("mohammed muhammad mohamed mohammad".split()),
    frozenset("frederick fred friedrich frederic".split()), frozenset("henry heinrich henri hank".split()),
    frozenset("donald don".split()), frozenset("timothy tim".split()), frozenset("kenneth ken".split()),
    frozenset("patrick pat".split()), frozenset("margaret maggie".split()), frozenset("susan sue".split()),
    frozenset("gregory greg".split()), frozenset("lawrence larry".split()), frozenset("vincent vince".split()),
)  # fmt: skip
GIVEN = frozenset(
    """albert isaac george john paul mary james robert william david richard thomas charles joseph christopher daniel
    matthew anthony mark donald steven andrew kenneth joshua kevin brian edward ronald timothy jason jeffrey
    ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander
    patrick frank raymond jack dennis jerry tyler aaron jose adam nathan henry zachary douglas peter kyle noah
    ethan jeremy walter keith roger terry harry ralph arthur carl louis philip johnny bobby bruce billy
    elizabeth patricia jennifer linda barbara susan jessica sarah karen lisa nancy margaret sandra ashley
    kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura helen sharon cynthia
    kathleen amy angela anna ruth brenda pamela virginia katherine catherine christine samantha debra rachel
    carolyn janet maria heather diane julie joyce victoria kelly christina joan evelyn judith megan alice jean
    ann anne jane marie leonardo galileo johannes johann ludwig wolfgang friedrich karl marcus julius augustus
    napoleon vladimir leo fyodor pablo vincent claude edgar ernest mahatma nelson winston franklin abraham
    theodore dwight lyndon ronald barack hillary joe kamala marilyn elvis bob jimi freddie neil buzz yuri marco
    ferdinand hernan simon jorge luis carlos miguel francisco antonio giovanni giuseppe enrico max niels erwin
    werner rosalind florence clara ada alan francis bill steve elon jeff mark tim oscar emma charlotte virginia
    agatha jules victor gustave emile antoine pierre jacques rene blaise francois michael martin malcolm rosa
    harriet frederick ulysses woodrow calvin herbert harold lewis roald ian stan hans otto fritz heinrich adolf
    josef immanuel arnold tom brad leonard ben matt will chris serena roger rafael novak lionel cristiano diego
    tiger usain""".split()
)
LEGAL = frozenset(
    """
    inc incorporated ltd limited gmbh ag corp corporation co company llc llp plc sa se nv bv spa srl oy ab as kg group
    holdings pty rms hms uss hmcs hmas""".split()
)
ALWAYS_LEFT_OUT = frozenset("mount mountain river desert islands island international airport university".split())
"""Generic words that a name keeps its sense without: Everest, Nile, Sahara, Harvard."""
GENERIC = frozenset(
    """
    mount mountain mountains river desert ocean sea lake island islands city town village state country county province
    region continent planet university college school institute company airport station bridge tower building museum
    palace church cathedral street avenue park forest valley peninsula strait gulf bay war battle treaty act empire
    kingdom republic dynasty band album song novel book film movie play poem painting opera team club party newspaper
    magazine goddess god district prefecture nation metropolitan area federation""".split()
)
ORGANISATION = frozenset(
    """university college institute inc corporation company bank association organization organisation committee
    council agency department ministry party club team united city association society foundation band brothers
    sisters army navy court church museum league union commission administration bureau office laboratory
    laboratories labs records studios press times journal group airlines railway railroad motors electric
    industries systems kingdom republic empire""".split()
)
SPELT_OUT = {
    "labs": "laboratories", "lab": "laboratory", "organisation": "organization", "dept": "department",
    "govt": "government", "intl": "international", "assn": "association", "assoc": "association", "bros": "brothers",
    "mtns": "mountains", "isl": "island", "dr": "democratic", "natl": "national",
}  # fmt: skip
DEMONYMS = frozenset(
    """american british english scottish irish welsh french german italian spanish portuguese dutch belgian swiss
    austrian polish russian ukrainian czech slovak hungarian romanian bulgarian greek turkish serbian croatian
    swedish norwegian danish finnish icelandic chinese japanese korean indian pakistani iranian persian iraqi
    israeli egyptian arab african asian european canadian mexican brazilian argentine argentinian chilean
    colombian peruvian cuban australian roman nigerian kenyan ethiopian vietnamese thai indonesian filipino
    jewish catholic christian muslim soviet prussian victorian renaissance baroque u.s us""".split()
)
"""What says where something is from, and makes it nothing else: the German company Bayer."""
PLACES = frozenset(
    """afghanistan;albania;algeria;andorra;angola;argentina;armenia;australia;austria;azerbaijan;bahamas;bahrain;
    bangladesh;barbados;belarus;belgium;belize;benin;bhutan;bolivia;bosnia;botswana;brazil;brunei;bulgaria;burundi;
    cambodia;cameroon;canada;chad;chile;china;colombia;congo;costa rica;croatia;cuba;cyprus;czech republic;czechia;
    denmark;ecuador;egypt;el salvador;england;eritrea;estonia;ethiopia;fiji;finland;france;gabon;gambia;georgia;germany;
    ghana;greece;guatemala;guinea;guyana;haiti;honduras;hungary;iceland;india;indonesia;iran;iraq;ireland;israel;italy;
    ivory coast;jamaica;japan;jordan;kazakhstan;kenya;kosovo;kuwait;kyrgyzstan;laos;latvia;lebanon;liberia;libya;
    lithuania;luxembourg;madagascar;malawi;malaysia;maldives;mali;malta;mauritania;mauritius;mexico;moldova;monaco;
    mongolia;montenegro;morocco;mozambique;myanmar;namibia;nepal;netherlands;the netherlands;new zealand;nicaragua;
    niger;nigeria;north korea;north macedonia;northern ireland;norway;oman;pakistan;panama;paraguay;peru;philippines;
    the philippines;poland;portugal;qatar;romania;russia;rwanda;saudi arabia;scotland;senegal;serbia;sierra leone;
    singapore;slovakia;slovenia;somalia;south africa;south korea;south sudan;soviet union;spain;sri lanka;sudan;
    suriname;sweden;switzerland;syria;taiwan;tajikistan;tanzania;thailand;togo;tunisia;turkey;turkmenistan;uganda;
    ukraine;united arab emirates;united kingdom;united states;united states of america;uruguay;uzbekistan;venezuela;
    vietnam;wales;yemen;zambia;zimbabwe;alabama;alaska;arizona;arkansas;california;colorado;connecticut;delaware;
    florida;hawaii;idaho;illinois;indiana;iowa;kansas;kentucky;louisiana;maine;maryland;massachusetts;michigan;
    minnesota;mississippi;missouri;montana;nebraska;nevada;new hampshire;new jersey;new mexico;new york;north carolina;
    north dakota;ohio;oklahoma;oregon;pennsylvania;rhode island;south carolina;south dakota;tennessee;texas;utah;
    vermont;virginia;washington;west virginia;wisconsin;wyoming;ontario;quebec;british columbia;alberta;manitoba;
    bavaria;catalonia;tuscany;sicily;europe;asia;africa;north america;south america;oceania;antarctica;new south wales;
    victoria;queensland;massachusetts;new england;washington d c;district of columbia;dc""".replace("\n", "")
    .replace("    ", "").split(";")
)  # fmt: skip
"""What may follow a smaller place behind a comma: Paris, France. Countries, states of the USA, large regions."""
STATES = dict(
    pair.split(":")
    for pair in (
        "AL:alabama;AK:alaska;AZ:arizona;AR:arkansas;CA:california;CO:colorado;CT:connecticut;DE:delaware;FL:florida;"
        "GA:georgia;HI:hawaii;ID:idaho;IL:illinois;IN:indiana;IA:iowa;KS:kansas;KY:kentucky;LA:louisiana;ME:maine;"
        "MD:maryland;MA:massachusetts;MI:michigan;MN:minnesota;MS:mississippi;MO:missouri;MT:montana;NE:nebraska;"
        "NV:nevada;NH:new hampshire;NJ:new jersey;NM:new mexico;NY:new york;NC:north carolina;ND:north dakota;OH:ohio;"
        "OK:oklahoma;OR:oregon;PA:pennsylvania;RI:rhode island;SC:south carolina;SD:south dakota;TN:tennessee;TX:texas;"
        "UT:utah;VT:vermont;VA:virginia;WA:washington;WV:west virginia;WI:wisconsin;WY:wyoming"
    ).split(";")
)
"""Codes of the states of the USA, which stand behind a comma."""
