"""The pretend customers: they write, answer and change their picture at a human pace."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.drivers.simulator.timeline import Timeline

FIRST_LINE_AFTER = 3.0
BETWEEN_FIRST_LINES = 7.0
BETWEEN_LINES = (20.0, 90.0)
ANSWER_AFTER = (2.0, 6.0)
PATIENCE = 3
"""Lines that a customer writes without an answer before giving up."""
NEW_PICTURE_CHANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    phone: str
    name: str
    openings: tuple[str, ...]
    answers: tuple[str, ...]


# Numbers that the regulators of these countries keep free for films and examples.
CAST = (
    Person(
        phone="447700900123",
        name="Amara Okafor",
        openings=(
            "Hi! Is the blue jacket still available in M?",
            "I can pick it up on Saturday if that helps",
        ),
        answers=("Perfect, thank you 🙏", "Could you send me a photo of the back?", "How much?"),
    ),
    Person(
        phone="12025550143",
        name="Daniel Reyes",
        openings=(
            "Hello, my order hasn't arrived yet. Any news?",
            "It was supposed to be here on Monday",
        ),
        answers=("Ok, I'll wait until tomorrow then.", "Great, appreciate it!", "Which carrier?"),
    ),
    Person(
        phone="33639981234",
        name="Camille Laurent",
        openings=("Bonjour, vous livrez à Lyon ?", "C'est pour un anniversaire 🎂"),
        answers=("Merci beaucoup !", "D'accord, et le délai ?", "Parfait, je commande ce soir."),
    ),
    Person(
        phone="4915228817386",
        name="Jonas Weber",
        openings=(
            "Guten Tag, kann ich die Rechnung als PDF haben?",
            "Die Bestellnummer ist 20417.",
        ),
        answers=("Danke, das ging schnell!", "Bitte an dieselbe Adresse.", "Alles klar 👍"),
    ),
    Person(
        phone="61491570156",
        name="Mei Lin",
        openings=("您好，请问今天营业到几点？", "Hi, are you open on public holidays?"),
        answers=("谢谢！", "Cheers, see you then", "Can I book a table for four?"),
    ),
    Person(
        phone="46701740605",
        name="Elsa Lindqvist",
        openings=("Hej! Do you ship to Sweden?", "And can I return it if it doesn't fit?"),
        answers=("Tack så mycket!", "Sounds good.", "I'll think about it and write tomorrow."),
    ),
)
BY_PHONE = {person.phone: person for person in CAST}


class Crowd:
    """Decides who writes when. Each person has at most one line planned."""

    def __init__(
        self,
        timeline: Timeline,
        *,
        say: Callable[[Person, str], bool],
        change_picture: Callable[[Person], None],
    ) -> None:
        self._timeline = timeline
        self._say = say
        self._change_picture = change_picture
        self._plans = dict.fromkeys(BY_PHONE, 0)
        self._unanswered = dict.fromkeys(BY_PHONE, 0)
        self._introduced: set[str] = set()
        self.is_active = False

    def set_active(self, active: bool) -> None:
        """Wake everyone up, one after the other, or send them to sleep."""
        self.is_active = active
        for number, person in enumerate(CAST):
            self._unanswered[person.phone] = 0
            pause = FIRST_LINE_AFTER + number * BETWEEN_FIRST_LINES * random.uniform(0.8, 1.2)
            self._plan(person, pause, person.openings)

    def hear(self, phone: str) -> None:
        """A message of ours was read: answer it in a moment."""
        person = BY_PHONE.get(phone)
        if person is not None:
            self._unanswered[phone] = 0
            self._plan(person, random.uniform(*ANSWER_AFTER), person.answers)

    def _plan(self, person: Person, pause: float, lines: tuple[str, ...]) -> None:
        """Replace what the person meant to write next."""
        self._plans[person.phone] += 1
        turn = self._plans[person.phone]
        self._timeline.after(pause, partial(self._speak, person, lines, turn=turn))

    def _speak(self, person: Person, lines: tuple[str, ...], *, turn: int) -> None:
        phone = person.phone
        if not self.is_active or turn != self._plans[phone]:
            return
        if self._say(person, self._choose(person, lines)):
            self._unanswered[phone] += 1
            self._perhaps_change_picture(person)
        if self._unanswered[phone] < PATIENCE:
            slower = 1 + self._unanswered[phone]
            pause = random.uniform(*BETWEEN_LINES) * slower / 2
            self._plan(person, pause, person.openings)

    def _choose(self, person: Person, lines: tuple[str, ...]) -> str:
        """Openings make sense in their order only."""
        if lines is person.answers:
            return random.choice(lines)
        return lines[self._unanswered[person.phone] % len(lines)]

    def _perhaps_change_picture(self, person: Person) -> None:
        if person.phone not in self._introduced or random.random() < NEW_PICTURE_CHANCE:
            self._introduced.add(person.phone)
            self._change_picture(person)
