"""How many of a product so many people need, where its attributes or its title say whom one of it serves; else one is enough."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the schema itself counts with quantities
    from ecomscript.schema import Product

MAX_QUANTITY = 99
MOST_PEOPLE = 100_000
"""A larger number is no count of people or pieces but something else, such as a year in a title."""
CHILD = 13
"""Things made for up to this age are not for everybody in the plan."""

Unit = Literal["servings", "places", "pack", "each"]

# A serving is what one person eats or drinks here; in the parts left out it is a spoon of an ingredient or a dose.
_FOOD = ("Food", "Grocery")
_INGREDIENTS = re.compile(
    r"> (?:Baking > (?!Mixes)|Cheese Making|Fermenting|Canning|Butchery|Candy Making|Cured Meat|Nutrition|Special Diet"
    r"|Pantry > (?:Spices|Oils|Salt|Vinegars|Seasonings|Preserving|Broths|Vegan Ingredients))"
)
_PLACES = re.compile(
    r"\b(?:tents?|bivvy shelter|fishing shelter|camping hammock|camp cookware set|dining set|kayak|canoe|packraft|72-hour emergency kit|"
    r"picnic basket|party supplies|roasting sticks|dinnerware set|flatware set|emergency food bucket|camping meal)$"
)
_PIECES = re.compile(
    r"\b(?:(?:party|dinner|paper|plastic|disposable|compostable) plates?|(?:party|paper|plastic|hot|coffee|disposable) cups?|"
    r"mugs?(?: set)?|(?:drinking|wine|cocktail|champagne) glass(?:es)?(?: set)?|eclipse glasses|flute set|tumblers?|napkins?|"
    r"drinking straws|placemat set|party hats?|favor bags?|noisemakers?|buns|tortilla wraps|juice box(?:es)?|spring water|"
    r"bottled water|burgers?|lei garland|skewer set)$"
)
_EACH = re.compile(
    r"\b(?:(?<!kids )sleeping bag|sleeping pad|camping pillow|camping cot|camp chair|dining chair|(?:paddling|offshore) life jacket|"
    r"headlamp|mosquito head net)$"
)
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d{1,6})"
_FOR_PEOPLE = re.compile(
    rf"\b(?:serves|(?:service|set|kit|basket|backpack|picnic) for|for (?=\d+ (?:people|persons|guests|adults)\b)) ?{_NUMBER}\b"
    rf"|\b{_NUMBER}[ -](?:person|people|servings?)\b",
    re.IGNORECASE,
)
_FOR_SO_MANY = re.compile(rf"\bfor {_NUMBER}(?=,|$)", re.IGNORECASE)
_IN_PACK = re.compile(
    rf"\b(?:pack|set|box|case|bag|bundle) of {_NUMBER}\b|\b{_NUMBER}[ -]?(?:count|ct|packs?|pieces?|pcs)\b(?! of)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Share:
    """Whom one of a product serves."""

    people: int
    unit: Unit

    def quantity(self, people: int) -> int:
        """Return how many serve so many people, at least 1 and at most 99."""
        return min(max(math.ceil(people / self.people), 1), MAX_QUANTITY)


def share(product: Product) -> Share | None:
    """Return whom one of ``product`` serves; None when it does not go by people, or nothing says how many it serves."""
    name = _name(product)
    if isinstance(age := product.attributes.get("age_max"), int | float) and age <= CHILD:
        return None
    if product.category.startswith(_FOOD) and not _INGREDIENTS.search(product.category):
        found = _attribute(product, "servings") or _attribute(product, "capacity_people") or _in_title(_FOR_PEOPLE, product)
        if found:
            return Share(found, "servings")
    if _PLACES.search(name):
        said = _in_title(_FOR_PEOPLE, product) or _in_title(_FOR_SO_MANY, product)
        found = _attribute(product, "capacity_people") or said or _attribute(product, "servings")
        return Share(found, "places") if found else None
    counts = (_attribute(product, key) for key in ("count", "quantity", "pack_count"))
    pack = _in_title(_IN_PACK, product) or next(filter(None, counts), None)
    if _PIECES.search(name):
        return Share(pack, "pack") if pack else None
    if _EACH.search(name):
        held = pack or _attribute(product, "capacity_people") or 1
        return Share(held, "pack") if held > 1 else Share(1, "each")
    return None


def quantity_for(product: Product, people: int | None) -> int:
    """Return how many to buy for so many people: 1 when nobody said for how many, or when one is enough for everybody."""
    one = share(product) if people else None
    return one.quantity(people) if one and people else 1


def cost_usd(product: Product, people: int | None) -> float:
    """Return what so many of a product as the people need cost together; 0 when the catalogue has no price."""
    return round(product.price_usd * quantity_for(product, people), 2) if product.price_usd else 0.0


def _name(product: Product) -> str:
    """Return what the product is in a few lower-case words: its kind, else its title's name without numbers."""
    text = product.kind or re.sub(r"\b(?:pack|set|box|case) of \d+|\d\S*", "", product.title.partition(",")[0])
    return " ".join(text.lower().split())


def _attribute(product: Product, key: str) -> int | None:
    value = product.attributes.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1 <= value <= MOST_PEOPLE else None


def _in_title(pattern: re.Pattern[str], product: Product) -> int | None:
    found = pattern.search(product.title)
    number = int(next(filter(None, found.groups())).replace(",", "")) if found else 0
    return number if 1 <= number <= MOST_PEOPLE else None
