"""Every English text of the page, so that it can be read, corrected and translated in one place."""

from __future__ import annotations

APP = "EcomScript"
TAGLINE = "Say what you want to get done. Get a plan, and what to buy for each step."

TAB_PLAN = "Plan"
TAB_BENCH = "Benchmark"
TAB_ABOUT = "About"

GOAL_LABEL = "What do you want to get done?"
GOAL_PLACEHOLDER = "Take two kids camping for a weekend, under $250"
PLAN_BUTTON = "Plan"
STOP_BUTTON = "Stop"
BUDGET_LABEL = "Budget in USD"
PEOPLE_LABEL = "People"
EXCLUDE_LABEL = "Leave out"
EXCLUDE_PLACEHOLDER = "tent, alcohol"
OPTIONAL = "optional"

EXAMPLES = (
    "Host a backyard barbecue for 12 under $200",
    "Start composting on a small balcony",
    "First camping weekend with a toddler, already have a tent",
    "Bake sourdough bread for the first time",
    "Set up a quiet home office in a bedroom corner",
    "Make my grandmother's bathroom safer",
)
WELCOME = "Tell me a goal, not a product."
WELCOME_HINT = (
    "Say it the way you would to a friend: the occasion, how many people, what you already have, what it may cost. "
    "You get ordered steps, and up to three products for each step that needs any, with the reason people buy them."
)
EXAMPLES_TITLE = "Or try one of these"

QUEUE_NEXT = "Other plans are being made. Yours is next."
QUEUE_ONE = "1 plan is before yours."
QUEUE = "{n} plans are before yours."
HINT_LABEL = "How to change the plan"
HINT = "Nothing here is fixed: Edit changes a step, Change swaps a product, and × takes away what was understood."
HINT_SEEN = "Got it"
OWN_TITLE = "Language model (optional)"
OWN_KEY_LABEL = "Your own key"
OWN_KEY_INFO = "The model then writes your plans, at your cost. The key stays in this page and is gone when you close it."
OWN_MODEL_LABEL = "Model"

STAGE_READING = "Reading your goal"
STAGE_STEP = "Finding products: step {done} of {total}"
STAGE_WRITING = "A language model is writing the plan: step {next}"
STAGE_CHECKING = "Checking the plan"
STAGE_DONE = "Done in {seconds} s"
STAGE_CONFLICTS = "{found} found, see below."
STAGE_SWAPPED = "Swapped {old} for {new}."
STAGE_STOPPED = "Stopped. What was found so far stays here."
STAGE_ANSWERED = "The answer is below."
FAILED_TITLE = "That did not work"
NEUTRAL_ERROR = "Something went wrong on our side and it was written to the log. Please try again in a moment."

STATUS_TITLES = {
    "clarify": "Tell me a little more",
    "redirect": "Not quite a shopping goal",
}

BASED_ON = "based on"
NEAREST_PLAN = "; the nearest is"
NEAR_PLANS = "Not what you meant? Start from another plan"
CHIPS_TITLE = "Understood"
CHIP_REMOVE = "Remove and plan again"
FACTS_ONE_OF_EACH = "{total} for one of each"
FACTS_FOR_ALL = "{total} for {people}"
TIMES = "× {n}"
EACH = "{price} each"
FACTS_TOKENS = "{tokens} tokens of a language model"
FACTS_COST = "{tokens} tokens of a language model, about {cost}"
WITHIN_BUDGET = "{left} under the budget"
OVER_BUDGET = "{over} over the budget"
ADD_ALL = "Add all to basket"
COPY_LINK = "Copy link"
COPIED = "Link copied"
COPY_FAILED = "Copy the address from the bar"

NOTHING_NEEDED = "Nothing to buy."
NOTHING_SUITABLE = "Nothing suitable in this catalogue."
NOT_REACHED = "Not searched: stopped before this step."

TRUST_LABELS = {"grounds": "Made for this goal", "t1": "Plan makes sense", "t2": "Fits this step", "t3": "Products go together"}
LEVELS = {"high": "High confidence", "fair": "Fair confidence", "low": "Low confidence"}
SHORT = {"high": "high", "fair": "fair", "low": "low", "plain": "", "weak": "Fit: weak evidence", "none": "Not verified"}
CONFIDENCE = "Confidence"
CHECKING = "Checking…"
NOT_VERIFIED = "Not verified"
NOT_VERIFIED_WHY = "No model has looked at this, so there is no number."
NOT_MEASURED = "How often it is right on items checked by hand is not measured yet."
WEAK = "Weak evidence"
WEAK_PLANS_WHY = (
    "On plans that people rated this score cannot be told from chance, so no number is shown: read the reason and judge for yourself."
)
WEAK_WHY = "On items checked by hand this score cannot be told from chance, so no number is shown: read the reason and judge for yourself."
OPINION_ASK = "Ask a second opinion"
OPINION_AGAIN = "Ask again"
OPINION_SAYS = {
    ("t1", True): "Second opinion of {model}: yes, these steps lead to the goal. How often it is right is not known here.",
    ("t1", False): "Second opinion of {model}: no, these steps do not lead to the goal. How often it is right is not known here.",
    ("t2", True): "Second opinion of {model}: yes, this product helps with the step. How often it is right is not known here.",
    ("t2", False): "Second opinion of {model}: no, this product does not help with the step. How often it is right is not known here.",
    ("t3", True): "Second opinion of {model}: yes, everything goes together. How often it is right is not known here.",
    ("t3", False): "Second opinion of {model}: no, not everything goes together. How often it is right is not known here.",
}
OPINION_UNCLEAR = "Second opinion of {model}: no verdict, its answer was neither yes nor no."
OPINION_FAILED = "There is no second opinion: {why}."
OPINION_STOPPED = "Stopped. The plan stays as it is, without a second opinion."
STAGE_OPINION = "A language model is giving a second opinion"
NOTHING_STANDS_OUT = "Nothing stands out."
NO_CONFLICT = "No conflict found."
CONFLICTS_BELOW = "What does not go together is named below."
GROUNDS_WHY = (
    "Estimated from how near the ready plan that this one starts from is to your goal, and whether your goal needs what that plan needs.",
    "Fitted on {plans} plans that readers rated; on those left out of a fit it tells good ones with AUC {auc} (chance is 0.50).",
    "Of {items} of them at this level, {share} would get their goal done.",
)
MODEL = "Estimated by {model}, adapted to this task."
ACCURACY = "On items checked by hand it was right in {accuracy}."
ACCURACY_AND_MAJORITY = "On items checked by hand it was right in {accuracy}; always giving the commonest answer is right in {majority}."
AUC = "AUC {auc} (95% interval {low} to {high}; chance is 0.50)."
FOLLOWS = "In a study of {plans} plans it rose with how readers rated them."
FOLLOWS_NOT = "In a study of {plans} plans it did not rise with how readers rated them."
LEVEL_HELD = "Of {items} validation items at this level, {share} {held}."
HELD = {"t1": "did make sense", "t2": "did fit their step", "t3": "did go together"}
DOUBTFUL = "Doubtful"

CONFLICTS_TITLE = "Does not go together"
AND = "and"
YOUR_GOAL = "your goal"
SWAP_FOR = "Swap for {title}"
INSTEAD_OF = "instead of {title}"
SWAPPED_WHY = "Takes the place of {title}, which did not go together with the rest."

EDIT = "Edit"
EDIT_STEP = "step {n}: {text}"
EDIT_NAME = "What is to be done"
EDIT_SAVE = "Save"
EDIT_UP = "Move up"
EDIT_DOWN = "Move down"
EDIT_REMOVE = "Remove step"
ADD_STEP = "Add a step"
ADD_STEP_PLACEHOLDER = "Rent a canoe for Saturday"
UNDO = "Undo"
REDO = "Redo"
CHANGE_PRODUCT = "Change"
CHOOSE = "More like this…"
CHEAPER = "Cheaper"
BETTER = "Better rated"
DISMISS = "Not interested"
LOCK = "Keep this one"
UNLOCK = "No longer keep"
KEPT = "Kept"
CHOOSE_TITLE = "More like {title}"
CHOOSE_ORDER = "Its own kind comes first, and of each kind what fits the step best."
CHOOSE_UNDER = "At most $"
CHOOSE_FOUR = "4 stars and more"
CHOOSE_THIS = "Choose"
CHOOSE_CLOSE = "Leave it as it is"
CHOOSE_NONE = "None of these fits. Change the price or the stars."
STEP_RENAMED = "Step {n} renamed; {found} found."
STEP_ADDED = "Step {n} added; {found} found."
STEP_REMOVED = "Step {n} removed: {text}."
STEP_MOVED = "Step {old} is now step {new}."
PRODUCT_LOCKED = "{title} stays, whatever changes."
PRODUCT_UNLOCKED = "{title} may change again."
DISMISSED_FOR = "{old} will not come back. {new} takes its place."
DISMISSED = "{old} will not come back. Nothing else suits its place."
NONE_CHEAPER = "Nothing cheaper of this kind fits in place of {title}."
NONE_BETTER = "Nothing better rated of this kind fits in place of {title}."
NONE_OTHER = "Nothing else in this catalogue fits in place of {title}."
UNDONE = "Undone: {change}."
REDONE = "Done again: {change}."
INSTEAD_WHY = "In place of {title}."
EDIT_BUSY = ("A plan is being made", "Wait until it is done, or stop it, then edit it.")
TOO_MANY_STEPS = ("A plan holds at most {n} steps", "Remove one to add another.")
STEP_TOO_LONG = ("The step has {n} characters, at most {most} can be kept", "Say it in one short sentence.")
STEP_EMPTY = ("The step is empty", "Say in a few words what is to be done.")
LOCKED = ("This product is kept", "Choose “No longer keep” first.")

REFINE_LABEL = "Change this plan in a few words"
REFINE_PLACEHOLDER = "no alcohol, for 12, under $150 …"
REFINE_BUTTON = "Change"
REFINE_CHIPS = "Suggested changes"
REFINE_SUGGESTIONS = {
    "cheaper": "cheaper",
    "better": "better rated",
    "vegan": "make it vegan",
    "alcohol": "no alcohol",
    "people": "for {n}",
    "budget": "under ${n:,}",
    "owned": "we already have {name}",
}
REFINE_WORKS = (
    "What works: cheaper · no alcohol · for 12 · we already have a grill · make it vegan · under $150 · add a first aid kit · remove step 3"
)
REFINE_UNCLEAR = ("This was not understood, so the plan stays as it is", REFINE_WORKS)
REFINE_NO_MODEL = "there is no language model that could read more than the usual words"
REFINE_WHY = "This was not understood, so the plan stays as it is: {why}"
REFINE_NO_CALL = "the language model found nothing in this plan to change for it"
REFINE_BAD_CALLS = "what the language model wanted to change cannot be changed like that"
REFINE_REST = "“{rest}” was not understood: {why}."
REFINE_LEFT = "{n} that the language model wanted as well cannot be made."
REFINE_ASKS = "The language model asks: “{question}”"
REFINE_TOKENS = "Read by a language model ({tokens} tokens)."
REFINE_STOPPED = "Stopped. The plan stays as it is."
STAGE_ASKING = "A language model is reading what you want changed"
REFINE_RELATIVE = ("“More” and “less” are not read, so the plan stays as it is", "Say the new number, such as: for 14, or: under $200.")
OBJECT_BAD = ("This is not a plan as /plan returns it: {what}", "Send back the whole object, unchanged.")
OBJECT_REFUSED = "This plan was not changed"
SWAP_WISH = ("{title} cannot take that place", "Name one of the alternatives that the answer lists, or “cheaper”, or “better rated”.")
SWAP_UNKNOWN = ("The plan does not show this product", "Name the product_id of one that it shows.")
REFINE_REFUSED = "The plan was not changed"
REFINE_FULL = ("A plan can be changed in words {n} times", "Put it all into the goal and plan again.")
REFINE_NO_STEP = ("There is no step {n}: the plan has {count}", "Say the number that stands beside the step.")
REFINE_HELD = "That holds already, so nothing had to change."
REFINE_LIFTED = "no longer “{label}”"
REFINE_REPLACED = "{n} replaced"
REFINE_LEFT_OUT = "{n} left out ({titles})"
REFINE_FOUND = "{n} added"
REFINE_NOTHING = "no product had to change"
REFINE_KEPT = "Still there because you keep it: {named}."
REFINE_TOTAL = "That is {total} in all."
REFINE_KEPT_DEAR = "It is {over} over the budget, because what you keep costs more than that alone."
REFINE_NO_TIMES = "Steps carry no times, so nobody has checked whether that is enough: it is only noted."
REFINE_UNCHECKED = "That is noted; few products say enough to be checked against it."
REFINE_CHEAPER = "Cheaper: {swapped} swapped, {saved} saved."
REFINE_NONE_CHEAPER = "Nothing cheaper fits as well and is as well liked, so the products stay."
REFINE_BETTER = "Better rated: {swapped} swapped."
REFINE_NONE_BETTER = "Nothing better rated fits as well, so the products stay."
BREAKS = "Breaks what you asked: {reason}."

WHY = "Why this"
WHY_STEP = "For the step"
WHY_BOUGHT = "People buy it to"
WHY_BOUGHT_LIKE = "Things like it are bought to"
WHY_ALSO = "And to"
WHY_TRANSFERRED = "Whose reasons"
WHY_TRANSFERRED_FROM = "written for any {kinds}; this catalogue does not say why people buy the product"
PICTURE = "Picture of {title}"
WHY_FIT = "Fits this step"
WHY_MEETS = "Keeps to"
WHY_BUDGET = "{price} of your {budget}"
WHY_PEOPLE = "made for {made_for}, you are {people}"
WHY_WITHOUT = "without {names}"
SEARCHED = "What was searched"
SEARCHED_KINDS = "Looked for"
SEARCHED_WORDS = "whatever people buy to do what this step says"
SEARCHED_FOUND = "Shown"
SEARCHED_NONE = "nothing"
SEARCHED_LEFT = "Not shown"

ADD = "Add"
REMOVE = "Remove"
NO_PRICE = "Price not listed"
RATED = "Rated {rating} of 5 by {count}"
BUYERS_SAY = "Why people buy it"
PRODUCT_PAGE = "Product page"
WEB_SEARCH = "Search the web"
NEW_TAB = "(opens a new tab)"

BASKET = "Basket"
BASKET_EMPTY = "Your basket is empty."
BASKET_EMPTY_HINT = "Add products from a plan. They stay here while you plan something else."
BASKET_CLEAR = "Empty basket"
TOTAL = "Total"
QUANTITY = "Quantity of {title}"
FEWER = "One fewer: {title}"
MORE = "One more: {title}"
REMOVE_LINE = "Remove {title}"
FITS_ITS_STEP = "fits its step"
CHECK_FIRST = "Check before you buy"
UNPRICED = "without the {n} not priced"
TAKE_WITH_YOU = "Take it with you"
BAR = "View basket"

SHARE = "Share"
SHARE_TITLE = "Share this plan"
SHARE_HINT = "The link holds the plan and your basket. Anyone who has it can open them; nothing is stored on the server."
SHARE_LINK = "Link to this plan"
SHARE_COPY_YOURSELF = "The clipboard is blocked here: copy the link from the field."
SHARED = "Opened from a link: its steps are as they were sent, its products and checks are today's."
SHARED_LEFT_OUT = "Left out {title}: {reason}."
KEEP = "Keep plan"
KEEP_TITLE = "Keep this plan"
KEEP_HINT = "It stays in this browser, with the basket, until you delete it."
KEEP_NAME = "Name"
KEEP_FULL = "{n} plans are kept, which is the most. Delete one to keep another."
KEEP_NO_ROOM = "The browser has no room left. Delete a kept plan."
KEEP_BLOCKED = "This browser stores nothing for this page, so plans cannot be kept. Share gives you a link to keep instead."
PLANS_KEPT = "Kept plans"
PLAN_KEPT = "Kept “{name}”."
PLAN_OPENED = "Opened “{name}”."
PLAN_DELETE = "Delete"
PLAN_DELETED = "Deleted “{name}”."
PLAN_BEFORE = "Back to the plan before"
DIALOG_CLOSE = "Close"
PRINT = "Print"

SHARES = {"servings": "{n} servings", "places": "{n}-person", "pack": "pack of {n}", "each": "one each"}
"""Whom one product serves; the last is for what everybody needs one of."""
SHARE_SUM = "{quantity} × {one} for {people}"
BY_HAND = "your number; {words} would do"
FOR_STEPS = "For"
NICE = "Nice to have"
MUST = "Must have"
TICK = "Got it: {title}"
TICKED = "{done} of {total} ticked off"
OVER_BY = "Over by {over}"
SWAP_THESE = {1: "Swap this one", 2: "Swap these two"}
SWAP_MORE = "Swap these {n}"
DROP_ONLY = "Leave out"
FIT_SWAP = "{old} → {new}"
FIT_DROP = "Leave out {old}"
FIT_SAVES = "saves {saved}"
FIT_AFTER = "Then {total}, {left} under the budget."
FIT_NONE = "No choice of these products fits the budget. Remove something, or mark what is only nice to have."
FIT_STALE = ("The basket has changed since this was worked out", "Wait a moment for the new one.")

COMPARE = "Compare"
COMPARE_OPEN = "Compare ({n})"
COMPARE_TITLE = "Compare {n} products"
COMPARE_CLOSE = "Close"
COMPARE_CLEAR = "Clear"
COMPARE_ONE = "Choose one more to compare with."
COMPARE_FULL = ("Four products are being compared already", "Remove one from the comparison to add another.")
COMPARE_ADD = "Add to basket"
COMPARE_TAKE_OUT = "Take out of basket"
COMPARE_REMOVE = "Remove {title} from the comparison"
COMPARE_ROWS = {
    "step": "Step",
    "price": "Price",
    "rating": "Rating",
    "intention": "Why people buy it",
    "t2": "Fits its step",
    "features": "Features",
}
COMPARE_SAME = "The same for all ({n})"
COMPARE_UNKNOWN = "Not said"
COMPARE_SCROLL = "Comparison, scrolls sideways"
YES = "yes"
NO = "no"

ABOUT_TITLE = "What this is"
ABOUT_LEAD = (
    "EcomScript plans shopping from the goal, not from the product. It lays out the steps that lead to the goal, "
    "and finds products for each step through the reasons why people buy them."
)
ABOUT_HOW_TITLE = "How it works"
ABOUT_STEPS = (
    (
        "Understand",
        "Your goal is read for its limits: budget, people, ages, diet, what you already have. You see each one and can take it away.",
    ),
    (
        "Plan",
        "A library of written plans gives the ordered steps. How close it came is said in words, "
        "from “a ready plan” to “no ready plan was close”.",
    ),
    (
        "Match",
        "Every product carries purchase intentions, plain phrases for why people buy it. A step finds the intentions nearest to it, "
        "and through them products.",
    ),
    (
        "Respect",
        "Limits are hard. What is over the budget, excluded or already yours is left out. "
        "A step with nothing suitable stays empty and says so.",
    ),
)
ABOUT_DATA_TITLE = "What is loaded"
ABOUT_DATA = "Counted in the catalogue that this page runs on. Every product shown is a row of it."
ABOUT_TRUST_TITLE = "How far to trust a plan"
ABOUT_TRUST = (
    "Three small models read each plan: one asks whether the steps make sense in their order, one whether a product fits its step, "
    "and one, with rules about sizes, voltages, ages and the like, whether the products go together.",
    "Each says how confident it is in words and, where its own test allows, as a number; point at it or tap it to see how often it "
    "was right. A model whose test cannot be told from chance shows its reason and no number. "
    "What no model has looked at is “not verified”.",
)
ABOUT_LIMITS_TITLE = "What to keep in mind"
ABOUT_LIMITS = (
    "The demo catalogue is invented: brands, products, prices and ratings are made up, and nothing can be bought here. "
    "Links search the web for similar things.",
    "The number beside a match is the closeness of two texts, the step and the purchase intention. "
    "It is not a probability that the product is right.",
    "A confidence is a model's estimate, not a promise. Open it to see how the model did against items checked by hand.",
    "English works best. Prices are US dollars.",
    "Check medical, electrical and child-safety needs with someone who knows them.",
)
ABOUT_USE_TITLE = "Use it from elsewhere"
ABOUT_USE = (
    "The same plan is available to programs: the HTTP endpoint <code>/plan</code> takes goal, budget_usd, people and exclude; "
    "<code>/refine</code> and <code>/swap</code> change a plan that is sent back; "
    "and the MCP server at <code>/gradio_api/mcp/</code> has tools of these names."
)
ABOUT_PRIVACY = "Your goals and your basket belong to your browser session alone: nobody else sees them, and they are not stored on disk."
ABOUT_RATINGS = "Only if you rate a plan and tick that its goal may be stored, it is; what else a rating stores stands under every plan."

# Benchmark
BENCH_LEAD = "What was measured, how well it works, and the command that makes each number again."
BENCH_REPORT = "Download report"
BENCH_INDEX = "Experiments"
BENCH_SHOWING = "Showing {title}"
BENCH_UNKNOWN = "There is no experiment “{key}”. This is the first one."
BENCH_EMPTY = "There are no experiments to show."
BENCH_ABSENT = "—"
BENCH_NOT_RUN = "Not run yet"
BENCH_RUN_WITH = "This makes the numbers:"
BENCH_NO_NUMBERS = "Nothing measured to draw."
BENCH_CSV = "CSV"
BENCH_CSV_OF = "{caption}, as a CSV file"
BENCH_SEARCH = "Search"
BENCH_ALL = "All"
BENCH_ROWS = "{shown} of {total} rows"
BENCH_CASES = "{shown} of {total} texts"
BENCH_MORE = "Show {n} more"
BENCH_CASES_TITLE = "The texts themselves"
BENCH_CASES_LEFT_OUT = "The first {shown} of {total} texts; the Benchmark tab has them all."
BENCH_HELP = "What “{label}” means"
BENCH_LEGEND_BEST = "◆ and bold: best of the rows shown."
BENCH_LEGEND_INTERVAL = "Line and brackets: 95% interval, drawn from {low} to {high}."
BENCH_LEGEND_BASELINE = "Grey rows: baselines, always in view."
BENCH_LEGEND_ABSENT = "—: not measured."
BENCH_COLUMNS = "What the columns mean"
BENCH_NOTES = "What to know"
BENCH_MADE = "How this was made"
BENCH_SOURCE_FIELDS = {"commit": "Code", "data": "Data", "seeds": "Seeds", "created": "Date", "machine": "Machine"}
BENCH_PLOT_DESC = "{y} by {x}. {series}"
BENCH_REPORT_TITLE = "EcomScript: the benchmark report"
BENCH_REPORT_LEAD = "Every number here comes from a stored result; the command that makes it again stands below it."
BENCH_CONTENTS = "Contents"
BENCH_PRINT = "Print, or save as PDF"

# Ratings of visitors
RATE_PRODUCT = {1: "Useful for this step: {title}", 0: "Not useful for this step: {title}"}
RATE_PLAN_TITLE = "Is this plan useful?"
RATE_PLAN = {1: "This plan is useful", 0: "This plan is not useful"}
RATE_THANKS = "Thanks, noted."
RATE_TAKEN_BACK = "Taken back."
RATE_SHEET = "Rate it in five questions"
RATE_SCALE = "From 1, not at all, to 5, fully."
RATE_ENDS = {1: ", not at all", 5: ", fully"}
RATE_QUESTIONS = {
    "plausible": ("Plausible:", "the steps lead to the goal."),
    "complete": ("Complete:", "nothing that matters is missing."),
    "in_order": ("In order:", "the steps come in a sensible order."),
    "products_fit": ("Products fit:", "they help with their steps."),
    "would_use": ("Would use:", "I would go by this plan."),
}
RATE_CONSENT = "Store my goal with it, in my own words. It names nobody."
RATE_CONSENT_PUBLISHED = "Store and publish my goal with it, in my own words. It names nobody."
RATE_SEND = "Send rating"
RATE_STORED = (
    "Stored with a rating: your answer, the products and steps by number, a fingerprint of the plan, the scores of the models, the time "
    "and the version of this page, under a random number for this visit. No name, no address, and your goal only if you tick that."
)
RATE_HERE = "Ratings stay on this server; the Benchmark tab shows what they say together."
RATE_PUBLISHED = "Ratings are published in the dataset {repo}, and the Benchmark tab shows what they say together."
RATE_NOT_STORED = "Your rating was not stored:"
RATINGS_TITLE = "Visitors' ratings"
RATINGS_LIVE = "Live, read when this page opened; not a stored result."
RATINGS_NONE = "No ratings yet. Thumbs on products and plans, and the five questions under a plan, will show here."
RATINGS_PROBLEM = "The ratings cannot be read now. Everything else on this tab works."

# Errors as (cause, fix).
RATE_MARKS = ("This is not a rating", "Answer all five questions from 1 to 5.")
STALE = ("This button belongs to an older page", "Reload the page and try again.")
UNKNOWN_PRODUCT = ("This product is not in the catalogue that is loaded", "Plan again and add it from there.")
BASKET_FULL = ("The basket holds at most {n} different products", "Remove one to add another.")
SHARE_NOTHING = ("There is no plan to share yet", "Plan something first.")
SHARE_TOO_LARGE = ("This plan is too large for a link", "Remove some steps or shorten the goal.")
SHARE_BROKEN = ("This link is damaged or cut off", "Ask for it again, or plan the goal here.")
SHARE_LONG = ("This link is longer than any that this page makes", "Ask for it again, or plan the goal here.")
SHARE_STEPS = ("This link has {n} steps, a plan holds at most {most}", "Ask for a shorter one, or plan the goal here.")
SHARE_VERSION = ("This link was made by another version of this page", "Ask for a new one, or plan the goal here.")
SHARE_WORKING = ("A plan is being made", "Wait until it is done or press Stop, then open the other one.")


_SIMILARITY = ((0.70, "strong match"), (0.55, "good match"), (0.45, "fair match"))
_WEAKEST = "loose match"


def similarity_words(cosine: float) -> str:
    """Return the cosine of step and intention in words; 0.45 is the threshold of the paper, the others divide what lies above it."""
    return next((words for low, words in _SIMILARITY if cosine >= low), _WEAKEST)


def usd(amount: float) -> str:
    """Return an amount as ``$1,234.50``."""
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


def price(amount: float | None) -> str:
    """Return a price, or that there is none."""
    return NO_PRICE if amount is None else usd(amount)


def shared_gone(n: int) -> str:
    """Return how many products of a shared plan are gone; "" for none."""
    return f"{count(n, 'product')} {'is' if n == 1 else 'are'} no longer in the catalogue." if n else ""


def shared_refused(n: int) -> str:
    """Return how many steps of a shared plan are not shown; "" for none."""
    return f"{count(n, 'step')} {'was' if n == 1 else 'were'} left out: this page does not plan that." if n else ""


def small_usd(amount: float) -> str:
    """Return an amount that is often a fraction of a cent as ``$0.0004``."""
    return f"${amount:.4f}" if amount < 0.1 else usd(amount)


def count(n: int, one: str, many: str | None = None) -> str:
    """Return ``1 step``, ``1,200 steps``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


# The panel "Try it" of the Benchmark tab.
TRY_TITLE = "Try it"
TRY_LEAD = (
    "Write a claim of your own, or take an example and change it. The models that judge the plans of this page answer, "
    "and you see which of their training items come nearest."
)
TRY_TASK = "What to check"
TRY_TASKS = {"t1": "Script", "t2": "Product in a step", "t3": "Whole plan"}
TRY_OBJECTIVE = "Objective"
TRY_OBJECTIVE_PLACEHOLDER = "What should get done"
TRY_STEPS = {"t1": "Steps, one per line", "t2": "Steps", "t3": "Steps, one per line: step | product; product"}
TRY_STEP = "Step"
TRY_PRODUCT = "Product"
TRY_FEATURES = "What else is known of it"
TRY_CHECK = "Check"
TRY_GOOD = "Fill in a good example"
TRY_FLAWED = "Fill in a flawed example"
TRY_FAILED = "This cannot be checked"
TRY_NO_TASK = "nothing is chosen under “What to check”"
TRY_NO_STEP = "line {line} has no step before the “|”"
TRY_NO_PRODUCTS = "line {line} has no products: write it as “step | product; product”"
TRY_NAMED = "Step {n}: {text}"
TRY_NO_CLASH = "The attribute rules find no clash."
TRY_NEAREST = "Nearest training items"
TRY_NEAREST_WHY = "What the model was trained on that is most like this. None of these items is used for measuring."
TRY_NEAREST_WAIT = "Looking for the nearest training items…"
TRY_NEAREST_NONE = "There are no training items."
TRY_HOLDS = "Holds"
TRY_FALSE = "Does not hold"
TRY_CLOSENESS = "closeness {cosine}"
TRY_EXAMPLES = {
    "t1": (
        {
            "objective": "Make a cheese omelette for breakfast",
            "steps": "Whisk three eggs with a pinch of salt\nMelt butter in a pan\nPour in the eggs\n"
            "Sprinkle grated cheese on top\nFold the omelette and serve it hot",
        },
        {
            "objective": "Make a cheese omelette for breakfast",
            "steps": "Fold the omelette and serve it hot\nWhisk three eggs with a pinch of salt\nMelt butter in a pan\n"
            "Pour in the eggs\nSprinkle grated cheese on top",
        },
    ),
    "t2": (
        {
            "objective": "Cycle to work through the winter",
            "step": "See and be seen on dark roads",
            "product": "Rechargeable front bike light, 800 lumens, handlebar mount",
            "features": "Waterproof, lasts four hours at full power",
        },
        {
            "objective": "Cycle to work through the winter",
            "step": "See and be seen on dark roads",
            "product": "Bike bell, brass, handlebar mount",
            "features": "Clear ring that carries far",
        },
    ),
    "t3": (
        {
            "objective": "Set up a coffee corner in the office",
            "steps": "Brew the coffee | Capsule machine for Nespresso Original capsules, 0.7 l tank\n"
            "Choose the coffee | Nespresso Original coffee capsules, 50 pieces\n"
            "Serve the coffee | Espresso cups, porcelain, set of 6; Stainless steel tray, 40 cm",
        },
        {
            "objective": "Set up a coffee corner in the office",
            "steps": "Brew the coffee | Capsule machine for Nespresso Original capsules, 0.7 l tank\n"
            "Choose the coffee | Nespresso Vertuo coffee capsules, 50 pieces\n"
            "Serve the coffee | Espresso cups, porcelain, set of 6; Stainless steel tray, 40 cm",
        },
    ),
}
"""For each task a claim that holds and one that does not, as the fields are typed."""
