"""How many calls an endpoint gets at once: learned from what it refuses, and probed again now and then.

Additive increase and decrease on refusal, as congestion control has it (RFC 5681; Chiu and Jain 1989), with two
differences. Every call carries its level, the number in flight when it was sent. A refusal of level L while no call of
that level is answered says that L - 1 fit, so the window goes there at once instead of to a half; and a refusal now and
then at a level that is mostly answered is a fault, not a limit, and changes nothing. The level that was refused is
tried again after a wait that doubles (waiting near the last limit is CUBIC's idea, RFC 9438); when it is answered, the
window opens fast again. Pure: the clock is the caller's.
"""

from __future__ import annotations

REFUSED_SHARE = 0.3
"""A level counts as too high when more than this share of the calls at it or above is refused."""
HALVE_AT = 0.4
"""When about this share of the last calls that the window allowed is refused, it is halved: the server has shrunk."""
PROOF = 8
"""So many answers of calls at the ceiling or above say that it is none: one or two can slip in while others leave."""
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0


class Window:
    """The window of one endpoint, `most` calls wide at first. `size` is a float of which the whole part counts."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = float(most)
        self.in_flight = 0
        self._answered = [0] * (most + 1)  # by level
        self._refused = [0] * (most + 1)
        self._outcomes = 0
        self._epoch = 0
        self._share = 0.0  # of refusals among the last calls, smoothed
        self._ceiling = most + 1  # the lowest level known to be refused
        self._proven = True  # that a call was answered since the window last shrank
        self._above = 0  # calls answered at the ceiling or above since it was found
        self._fast_until = 0.0  # below this size growth is fast
        self._wait_s = FIRST_WAIT_S
        self._probe_at = 0.0

    @property
    def has_room(self) -> bool:
        """Whether one more call may be sent."""
        return self.in_flight < int(self.size)

    def sent(self) -> int:
        """A call is sent; gives its ticket, a positive number that says its level and its epoch."""
        self.in_flight += 1
        return self._epoch * (self.most + 1) + self.in_flight

    def ended(self) -> None:
        """A call ended, however it did."""
        self.in_flight -= 1

    def answered(self, ticket: int, now: float) -> None:
        """A call was answered. `now` is in seconds of any monotonic clock."""
        epoch, level = divmod(ticket, self.most + 1)
        if epoch != self._epoch:  # of the server as it was
            return
        self._proven = True
        self._share -= self._share * self._step
        self._answered[level] += 1
        self._age()
        if self.size >= self.most or level < int(self.size):  # the window was not what limited it
            return
        if level >= self._ceiling:
            self._above += 1
            if self._above >= PROOF:
                self._lift()
        if int(self.size) >= self._ceiling:  # it is being probed
            return
        grown = self.size + (1.0 if self.size < self._fast_until else 1.0 / self.size)
        if grown < self._ceiling or now >= self._probe_at:
            self.size = min(grown, float(self.most))

    def refused(self, ticket: int, now: float) -> None:
        """A call was refused for want of room (429, 503), or not answered in time."""
        epoch, level = divmod(ticket, self.most + 1)
        if epoch != self._epoch:
            return
        self._refused[level] += 1
        self._age()
        if level <= int(self.size):
            self._share += (1.0 - self._share) * self._step
        refused = sum(self._refused[level:])
        if refused > REFUSED_SHARE * (refused + sum(self._answered[level:])):
            again = level <= int(self.size) and not self._proven  # one less was not enough either
            self._shrink(max(level // 2 if again else level - 1, 1), level, now)
        elif self._share > HALVE_AT:
            self._epoch += 1
            self._share = 0.0
            self._answered = [0] * (self.most + 1)
            self._refused = [0] * (self.most + 1)
            self._shrink(max(int(self.size) // 2, 1), int(self.size), now)

    def restart(self) -> None:
        """The endpoint was away: begin with one call, and open fast."""
        self.size, self._share = 1.0, 0.0
        self._lift()

    @property
    def _step(self) -> float:
        return 1.0 / max(16.0, self.size)

    def _lift(self) -> None:
        """No limit is known any more."""
        self._ceiling, self._above = self.most + 1, 0
        self._wait_s = FIRST_WAIT_S
        self._fast_until = float(self.most)

    def _shrink(self, size: int, ceiling: int, now: float) -> None:
        if size >= self.size and ceiling >= self._ceiling:  # an echo of what is known
            return
        if self._probe_at <= now:  # the first refusal of its burst
            again = ceiling >= self._ceiling
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S) if again else FIRST_WAIT_S
        self._probe_at = now + self._wait_s
        self.size = min(self.size, float(size))
        self._ceiling = min(self._ceiling, ceiling) if size < ceiling else self._ceiling
        self._above, self._proven = 0, False
        self._fast_until = self.size
        self._answered[size + 1 :] = self._refused[size + 1 :] = [0] * (self.most - size)

    def _age(self) -> None:
        """What was long ago counts half: a server's limits change."""
        self._outcomes += 1
        if self._outcomes >= 8 * self.most:
            self._outcomes = 0
            self._answered = [count // 2 for count in self._answered]
            self._refused = [count // 2 for count in self._refused]
