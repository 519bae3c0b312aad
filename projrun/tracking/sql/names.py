"""Names and ids that a store generates: `calm-otter-412`, and random ids in MLflow's forms."""

from __future__ import annotations

import os

_ADJECTIVES = """
    agile amber ample apt bold brave breezy bright brisk calm careful cheery clear clever cosmic cozy
    crisp curious daring deft dapper eager early earnest even exact fair fast fearless fine fond frank
    fresh gentle glad golden grand happy hardy hearty honest humble ideal jolly keen kind lively lucid
    lucky mellow merry mighty modest neat nimble noble novel patient placid polite prime proud quick
    quiet rapid ready rosy round serene sharp silent silver sleek smart smooth snug solid spry stable
    steady stellar still stout sunny swift tidy trim true upbeat vivid warm wise witty worthy zesty
""".split()  # noqa: SIM905 -- words are read as words
_NOUNS = """
    ant badger bat bear beaver bee bird bison boar buck bug camel cat colt conch cow crab crane crow cub
    deer dingo doe dog dolphin donkey dove duck eagle eel elk ermine falcon fawn ferret finch fish flea
    fox frog gecko gnu goat goose grouse gull hare hawk hen heron horse hound ibex jay kite koala lamb
    lark lemur lion lizard llama loon lynx mare mink mole moose moth mouse mule newt ocelot okapi orca
    otter owl ox panda perch pig pike plover pony puma quail ram raven robin rook seal shark sheep shrew
    shrike skink skunk sloth snail snipe sparrow squid stag stork swan tapir teal tern toad trout turtle
    vole wasp whale wolf wren yak zebra
""".split()  # noqa: SIM905 -- words are read as words


def generate_run_name() -> str:
    """An adjective, a noun and a number up to 999."""
    first, second, third = (int.from_bytes(os.urandom(4), "big") for _ in range(3))
    return f"{_ADJECTIVES[first % len(_ADJECTIVES)]}-{_NOUNS[second % len(_NOUNS)]}-{third % 1000}"


def generate_id() -> str:
    """32 hex digits of a random UUID (RFC 9562, version 4), made without the uuid module's import."""
    random = bytearray(os.urandom(16))
    random[6] = random[6] & 0x0F | 0x40
    random[8] = random[8] & 0x3F | 0x80
    return random.hex()
