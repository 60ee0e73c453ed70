"""The pages of the wiki: towns, people, dishes and tools, programs.

Each block (heading, paragraph, list, listing) begins with an empty line. A page ends with its last
line.
"""

from collections.abc import Callable
from random import Random

from grammar import RULES
from lexicon import DISH_BASES, DISHES, RIVERS, TOOL_BASES, TOOLS, WORDS
from listing import Listing
from scene import PEOPLE, TOWNS, Scene, between, pick
from tagged_text import TEMPLATE

Facts = dict[str, str]
Subject = tuple[Callable[[Scene], None], Facts]  # the function that writes a page, and its facts


def subjects(rng: Random) -> list[Subject]:
    """Every subject that can have a page, once, shuffled."""
    found: list[Subject] = [(town_page, {"title": town, "town": town}) for town in TOWNS]
    found += [(person_page, facts) for facts in _people()]
    found += [(thing_page, facts) for facts in _things()]
    found += [(program_page, facts) for facts in _programs()]
    for i in range(len(found) - 1, 0, -1):
        j = between(rng, 0, i)
        found[i], found[j] = found[j], found[i]
    return found


def _people() -> list[Facts]:
    """As many people as there are towns."""
    people = PEOPLE[:: len(PEOPLE) // len(TOWNS)]
    return [
        {"title": one.full, "name": one.full, "first": one.first, "who": one.first} | one.pronouns
        for one in people
    ]


def _things() -> list[Facts]:
    kinds = (("dish", DISH_BASES, DISHES), ("tool", TOOL_BASES, TOOLS))
    return [
        {"title": f"{base.capitalize()} {thing}", "thing_name": f"{base} {thing}"}
        | {"base": base, "kind": kind}
        for kind, bases, things in kinds
        for base in bases
        for thing in things
    ]


def _programs() -> list[Facts]:
    return [
        {"title": f"{verb}_{things}", "program": f"{verb}_{things}", "language": "Lark"}
        | {"verb": verb, "does": f"{verb}s", "things": things}
        for verb in WORDS["verb_task"]
        for things in WORDS["noun_task"]
    ]


def town_page(scene: Scene) -> None:
    """A town: its place, its past, what people said there, what to see."""
    scene.facts |= {"river": pick(scene.rng, RIVERS), "people": scene.plain("people")}
    title(scene)
    infobox(scene, "town", name="{town}", river="{link:river}", founded="{date}", people="{people}")
    paragraph(scene, "town_opening", *["town_fact"] * between(scene.rng, 2, 4))
    heading(scene, "History")
    story(scene, "history")
    if scene.rng.random() < 0.7:
        heading(scene, "What to see")
        bullets(scene)
    see_also(scene)


def person_page(scene: Scene) -> None:
    """A person: life, and letters and sayings."""
    born = int(scene.facts["year"])
    died = born + between(scene.rng, 40, 90)
    scene.facts |= {
        "home": pick(scene.rng, TOWNS),
        "own_trade": pick(scene.rng, WORDS["trade"]),
        "death": str(died),
        "first_year": str(born + 15),
        "last_year": str(died),
    }
    title(scene)
    infobox(scene, "person", name="{name}", home="{link:home}", born="{date}", trade="{own_trade}")
    paragraph(scene, "person_opening", *["person_fact"] * between(scene.rng, 2, 4))
    heading(scene, pick(scene.rng, ("Life", "Later years", "Work")))
    story(scene, "person_fact")
    see_also(scene)


def thing_page(scene: Scene) -> None:
    """A dish or a tool, and how it is made, step by step."""
    kind = scene.facts["kind"]
    title(scene)
    paragraph(scene, f"{kind}_opening", *["thing_fact"] * between(scene.rng, 2, 3))
    heading(scene, "How it's made")
    steps(scene, f"step_{kind}")
    paragraph(scene, "speech", "thing_fact", "speech")
    see_also(scene)


def program_page(scene: Scene) -> None:
    """A program: what it does, and its listing."""
    title(scene)
    paragraph(scene, "program_opening", *["program_fact"] * between(scene.rng, 2, 3))
    heading(scene, "Listing")
    verbs = [scene.facts["verb"], pick(scene.rng, WORDS["verb_task"])]
    for verb in verbs[: between(scene.rng, 1, 2)]:
        paragraph(scene, "code_lead")
        scene.out.newline()
        Listing(scene, verb, scene.facts["things"]).write()
        paragraph(scene, "program_fact", "speech")
    see_also(scene)


def title(scene: Scene) -> None:
    """The first line of a page, with no empty line before it."""
    scene.compose("= {title} =")
    scene.out.newline()


def heading(scene: Scene, text: str) -> None:
    """A heading inside a page."""
    scene.out.newline()
    scene.out.text(f"== {text} ==")
    scene.out.newline()


def paragraph(scene: Scene, *rules: str) -> None:
    """One sentence of each rule, wrapped."""
    scene.cast()
    scene.out.newline()
    for i, rule in enumerate(rules):
        if i:
            scene.out.text(" ")
        scene.tell(rule)
    scene.out.newline()


def story(scene: Scene, rule: str) -> None:
    """A few paragraphs that mix facts of `rule` with speech."""
    for _ in range(between(scene.rng, 2, 3)):
        count = between(scene.rng, 3, 5)
        paragraph(scene, *(pick(scene.rng, (rule, "speech")) for _ in range(count)))


def infobox(scene: Scene, kind: str, **values: str) -> None:
    """A template over several lines, with links and templates inside."""
    scene.out.newline()
    with scene.out.span(TEMPLATE):
        scene.out.text(kind)
        for key, pattern in values.items():
            scene.out.newline()
            scene.compose(f"|{key}={pattern}")
        scene.out.newline()
    scene.out.newline()


def entry(scene: Scene, marker: str, pattern: str) -> None:
    """An entry of a list. Further lines are indented to its first word."""
    with scene.out.hanging(len(marker)):
        scene.out.text(marker)
        scene.compose(pattern)
    scene.out.newline()


def bullets(scene: Scene) -> None:
    """A list of sights, some with a nested list of details."""
    scene.out.newline()
    for _ in range(between(scene.rng, 2, 4)):
        entry(scene, "- ", "{sight}")
        for _ in range(between(scene.rng, -2, 2)):
            entry(scene, "  - ", "{sight_detail}")


def steps(scene: Scene, rule: str) -> None:
    """Some steps of `rule` in their order, numbered, some with a nested list of details."""
    scene.out.newline()
    number = 0
    for pattern in RULES[rule]:
        if scene.rng.random() < 0.3:
            continue
        number += 1
        entry(scene, f"{number}. ", pattern)
        for detail in range(1, between(scene.rng, -1, 4)):
            entry(scene, f"   {detail}. ", "{step_detail}")


def see_also(scene: Scene) -> None:
    """The end of a page: links to other pages, and web addresses."""
    heading(scene, "See also")
    scene.out.newline()
    for _ in range(between(scene.rng, 1, 3)):
        entry(
            scene,
            "- ",
            pick(scene.rng, ("{link:elsewhere}", "{link:someone}", "{link:elsewhere|neighbor}")),
        )
    for _ in range(between(scene.rng, 0, 2)):
        entry(scene, "- ", "{outside}")
