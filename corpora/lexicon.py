"""The words of the invented country that `wiki.py` writes about, and how they inflect."""


def _list(text: str) -> tuple[str, ...]:
    """Split a comma-separated list that may run over several lines."""
    return tuple(" ".join(text.split()).split(", "))


# Names. A town is a head and a tail (Fen + wick), a person a first name and a surname.
TOWN_HEADS = _list(
    "Ash, Bram, Corn, Dun, Elm, Fen, Gar, Hazel, Kel, Lor, Mill, Nor, Oak, Pen, Quill, Ros, Sand,"
    " Tarn, Ul, Ver, Wyn, Yar"
)
TOWN_TAILS = _list(
    "bridge, by, dale, field, ford, ham, haven, holt, mere, moor, stead, ton, well, wick"
)
RIVERS = _list("Ilsen, Orrow, Vell, Sarn, Luth, Brede, Amber, Tessel, Niss, Culver")
PROVINCES = _list("Marrin, Estry, Norvale, Sull, Harrowmark, Westing, Ostland, Cairn")
WOMEN = _list(
    "Mara, Ilsa, Tove, Nell, Brida, Senna, Orla, Hedda, Runa, Petra, Lise, Alma, Wenna, Cora, Edda"
)
MEN = _list(
    "Tam, Joss, Corin, Edrik, Falk, Hugo, Ivo, Lorn, Nils, Oskar, Piet, Rolf, Sorin, Ulf, Wim"
)
SURNAMES = _list(
    "Ashdown, Barrow, Calder, Dray, Eskel, Farrow, Garrick, Hallam, Ingram, Kettle, Lorne, Marsh,"
    " Nettle, Orrin, Pell, Rook, Sedge, Thorne, Ulden, Vane, Yarrow"
)
HOSTS = _list(
    "www.example.org, example.com, maps.example.net, old.example.org, wiki.example, books.example"
)

# Things with a page of their own: what it is made of, and what is made of it.
DISH_BASES = _list("oat, barley, honey, apple, nettle, plum, walnut, onion")
DISHES = _list("bread, soup, cake, cheese, pie")
TOOL_BASES = _list("oak, willow, clay, iron, copper, reed")
TOOLS = _list("basket, flute, kettle, lamp, barrel, clock, boat, bell, stove")

# Words by the name under which the sentence patterns ask for them.
WORDS: dict[str, tuple[str, ...]] = {
    "adj_place": _list(
        "quiet, small, old, busy, windy, pretty, stony, poor, rich, remote, green, narrow, low,"
        " friendly, sleepy"
    ),
    "place": _list("village, town, market town, hamlet, port, parish, fishing village"),
    "building": _list(
        "mill, chapel, school, bridge, market hall, inn, library, tower, barn, bakery, forge,"
        " granary, well, lighthouse, tannery, ferry house"
    ),
    "hall": _list("chapel, school, market hall, inn, library, barn"),
    "adj_building": _list(
        "small, old, new, tall, narrow, plain, round, ruined, famous, white, long"
    ),
    "material": _list("oak, brick, granite, slate, pine, limestone, turf"),
    "metal": _list("iron, copper, clay, tin, brass, glass"),
    "part": _list("bell, lamp, clock, door, window, roof"),
    "adj_thing": _list(
        "heavy, small, old, broken, plain, painted, useful, rusty, new, strange, empty, fine,"
        " black, narrow, cheap"
    ),
    "thing": _list(
        "lamp, basket, boat, kettle, clock, map, key, lantern, rope, cart, blanket, chair, ladder,"
        " book, letter, bell, drum, flute, knife, barrel, box, net, saddle, wheel, coat"
    ),
    "food": _list("bread, honey, cheese, salt, flour, soup, cider, butter, tea, oil, smoked fish"),
    "spoonful": _list("honey, salt, flour, cider, butter, tea, oil"),
    "polish": _list("oil, butter, tar, wax, milk"),
    "crop": _list("barley, oats, flax, apples, plums, walnuts, hay, onions, beans, rye"),
    "taste": _list("sweet, soft, warm, thick, brown, sour, ready"),
    "animal": _list("goat, heron, otter, horse, crow, goose, dog, cat, mule, cow, hen, swan, owl"),
    "trade": _list(
        "miller, baker, weaver, smith, printer, teacher, potter, mason, sailor, gardener, doctor,"
        " painter, clockmaker, surveyor, poet, shepherd, tailor, cooper"
    ),
    "kin": _list("mother, father, sister, brother, aunt, uncle, grandmother, cousin, neighbor"),
    "adj_person": _list(
        "young, patient, clever, stubborn, kind, careful, quick, honest, proud, tired, cheerful,"
        " silent, old"
    ),
    "did": _list(
        "found, sold, mended, carried, borrowed, painted, lost, kept, bought, hid, moved, cleaned,"
        " drew, stole"
    ),
    "do": _list("find, sell, mend, carry, borrow, paint, keep, buy, hide, move, clean, draw"),
    "did_food": _list("sold, bought, stole, hid, shared, weighed, counted"),
    "did_building": _list("built, repaired, painted, bought, opened, cleaned, rented"),
    "open": _list("empty, closed, open, full, locked, dusty, dark"),
    "state": _list("dry, wet, cold, lost, ready, safe, clean, warm, rusty, broken"),
    "made_state": _list("dry, clean, smooth, hard, warm, ready, soft"),
    "weather": _list("cold, wet, dark, windy, dry, hot, late"),
    "feeling": _list("glad, angry, sorry, happy, worried, curious, calm"),
    "said": _list("said, said, said, answered, whispered, called, repeated"),
    "how": _list("slowly, quietly, at once, with a smile, again, at last, in a low voice, sadly"),
    "step_how": _list("slowly, carefully, twice, with clean hands, outdoors, at night"),
    "number": _list(
        "two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, twenty, forty"
    ),
    "ordinal": _list("first, second, third, fourth, fifth, sixth, last"),
    "compass": _list("north, south, east, west"),
    "season": _list("spring, summer, autumn, winter"),
    "day": _list("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
    "unit_long": _list("steps, feet, yards"),
    "event": _list("fire, flood, storm, long winter, bad harvest, feast, strike, drought"),
    "disaster": _list("fire, flood, storm, long winter, drought"),
    "landscape": _list("hill, wood, marsh, field, meadow, lake, cliff, orchard, road, valley"),
    "crowd": _list("council, guild, parish, school board, ferry company, choir"),
    "book": _list(
        "The Salt Road, Nine Winters, A Book of Bells, The Long Field, Letters Home, Roads of"
        " {province}, The Ferry Keeper, Songs from {elsewhere}"
    ),
    "vessel": _list("pot, bowl, pan, jar, bucket"),
    "verb_task": _list("count, sort, weigh, load, store, check, mark, pack, trade, list"),
    "noun_task": _list(
        "sacks, boats, bells, coins, goats, letters, lamps, barrels, nets, hens, days, miles"
    ),
}

_PLURALS = {
    "goose": "geese",
    "knife": "knives",
    "library": "libraries",
    "bakery": "bakeries",
    "tannery": "tanneries",
    "granary": "granaries",
}
_SAID_WITH_VOWEL = ("honest",)
_SAID_WITH_CONSONANT = ("useful",)


def plural(noun: str) -> str:
    """`noun` in the plural: lamp, lamps; box, boxes; goose, geese."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    return noun + ("es" if noun.endswith(("s", "x", "ch")) else "s")


def with_article(words: str) -> str:
    """`words` after 'a' or 'an', by their sound: a useful map, an honest smith, an oak door."""
    vowel = words.startswith(_SAID_WITH_VOWEL) or words[0] in "aeiou"
    return f"{'an' if vowel and not words.startswith(_SAID_WITH_CONSONANT) else 'a'} {words}"
