"""The report page: complete, self-contained, safe with hostile text, and the same bytes every time."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from mirrorfield.errors import InputError
from mirrorfield.metrics.mirrors import wilson
from mirrorfield.report.canvas import to_svg
from mirrorfield.report.captions import exhibits
from mirrorfield.report.geometry import corners, narrowing_steps, ribbon, spread
from mirrorfield.report.page import write_report
from mirrorfield.report.scenes import MOST_DOTS
from mirrorfield.report.style import percent, short

pytestmark = pytest.mark.filterwarnings("error")

VOID = {"meta", "br", "rect", "path", "use", "image"}
SMALL = {"users": 60, "steps": 40, "recorded": 8}
EDGES = {
    "one user": {"users": 1, "steps": 30, "recorded": 6},
    "four users": {"users": 4, "steps": 30, "recorded": 6},
    "two categories": {**SMALL, "count": 2},
    "three categories": {**SMALL, "count": 3},
    "nine categories": {**SMALL, "count": 9},
    "twenty categories": {**SMALL, "count": 20},
    "thirty-two categories": {**SMALL, "count": 32},
    "one recorded step": {**SMALL, "recorded": 1},
    "two recorded steps": {**SMALL, "recorded": 2},
    "one step at all": {**SMALL, "steps": 1, "recorded": 1},
    "one band": {**SMALL, "one_band": True},
}


class Page(HTMLParser):
    """The elements, ids and references of a page, and whether its tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def page_of(result, command="mirrorfield run demo.toml"):
    return write_report(*result, command)


def with_names(make_result, *names):
    return make_result(**SMALL, count=len(names), names=names)


@pytest.fixture(scope="session")
def demo(make_result):
    return make_result()


@pytest.fixture(scope="session")
def page(demo):
    return page_of(demo)


def test_nothing_is_loaded_from_elsewhere(page):
    for tag, attributes in Page(page).seen:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert "@import" not in page
    assert "@font-face" not in page
    assert set(re.findall(r"url\((.)", page)) <= {"#"}


def test_page_is_a_document_with_language_viewport_and_headings_in_order(page):
    parsed = Page(page)
    assert parsed.of("html")[0]["lang"] == "en"
    assert any(meta.get("name") == "viewport" for meta in parsed.of("meta"))
    levels = [int(tag[1]) for tag, _ in parsed.seen if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) <= 1


def test_ids_are_unique_and_every_reference_is_met(page):
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [a["aria-labelledby"] for _, a in parsed.seen if "aria-labelledby" in a]
    linked = re.findall(r'(?:href="|url\()#([^")]+)', page)
    assert set(named) | set(linked) <= set(ids)


def test_every_figure_has_title_alt_text_caption_and_scenario(page):
    figures = re.findall(r"<figure.*?</figure>", page, flags=re.DOTALL)
    assert len(figures) == 5
    for figure in figures:
        assert re.search(r"<h3[^>]*>[^<]{10,}</h3>", figure)
        assert re.search(r'<svg role="img" aria-label="[^"]{60,}"', figure)
        caption = figure[figure.index("<figcaption>") :]
        assert len(re.findall(r"<p[ >]", caption)) >= 3
        assert "Scenario demo · 3,000 users · 500 steps · seed 1" in caption


def test_text_in_figures_stays_text(page):
    assert re.search(r"<text[^>]*>share of users \(%\)</text>", page)
    assert re.search(r"<text[^>]*>intentionality λ", page)


def test_page_tells_how_it_was_made(page):
    origin = page[page.index('id="origin"') :]
    assert "mirrorfield run demo.toml" in origin
    assert "mirrorfield 0.1.0, seed 1" in origin
    assert "<details open>" in origin
    assert "name = &quot;demo&quot;" in origin


def test_same_input_gives_same_bytes(demo, page):
    assert page_of(demo) == page


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES.keys())
def test_edge_cases_draw_without_warnings(make_result, edge):
    page = page_of(make_result(**edge))
    Page(page)
    assert page.count("<figure ") == 5
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]*", "", page), flags=re.IGNORECASE)


def test_undefined_overlap_of_one_user_is_said_to_be_undefined(make_result):
    page = page_of(make_result(**EDGES["one user"]))
    assert re.search(r"overlap of two users[^<]*</dt><dd>n/a</dd>", page)
    assert "1 user · 30 steps" in page


def test_hostile_text_is_escaped_everywhere(make_result):
    hostile = '<script>alert("1")</script>'
    data, summary, _ = with_names(make_result, hostile, "a & b", '" onload="x', "</svg>")
    colors = ("category", ["red;}</style><script>", "#12", "#123456", "url(http://x)"])
    data = data.assign_coords(category_color=colors, category_post=("category", ["<img src=x>"] * 4))
    data.attrs["name"] = "</title><script>"
    page = write_report(data, summary, "</pre><script>", "mirrorfield run '<script>'")
    parsed = Page(page)
    assert parsed.of("script") == []
    assert parsed.of("img") == []
    assert all("onload" not in attributes for _, attributes in parsed.seen)
    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;" in page
    assert "url(http" not in page


@pytest.mark.parametrize("name", ["$x_$", "日本語", "two\nlines", "", "x" * 300, 'id="map', "\\frac{"])
def test_odd_names_are_drawn_as_written(make_result, name):
    page = page_of(with_names(make_result, name, "plain"))
    Page(page)
    assert "plain" in page


def test_page_stays_small_with_many_users(make_result):
    result = make_result(users=20_000, steps=60, recorded=12)
    assert len(page_of(result).encode()) < 4_000_000
    alt = next(exhibit.alt for exhibit in exhibits(result[0]) if exhibit.key == "map")
    assert f"{MOST_DOTS:,} users" in alt


def test_numbers_of_the_summary_are_on_the_page(demo, page):
    _, summary, _ = demo
    assert f"<dd>{percent(summary['locked_in'])}</dd>" in page
    for share in summary["shares"].values():
        assert f">{percent(share, 1)}</td>" in page


def test_empty_ranges_show_dashes(make_result):
    page = page_of(make_result(**EDGES["one band"]))
    assert page.count('<td class="count">0</td><td class="count">–</td>') == 4


def test_missing_variable_is_named(demo):
    data, summary, scenario = demo
    with pytest.raises(InputError, match="lacks diet"):
        write_report(data.drop_vars("diet"), summary, scenario, "")


@pytest.mark.parametrize("dimension", ["step", "user"])
def test_empty_result_is_refused(demo, dimension):
    data, summary, scenario = demo
    with pytest.raises(InputError, match=f"at least one {dimension}"):
        write_report(data.isel({dimension: slice(0)}), summary, scenario, "")


def test_svg_ids_carry_the_key(demo):
    exhibit = exhibits(demo[0])[0]
    svg = to_svg(exhibit.draw(demo[0]), "abc", "told <aloud>")
    assert all(found.startswith("abc-") for found in re.findall(r'\bid="([^"]+)"', svg))
    assert 'aria-label="told &lt;aloud&gt;"' in svg


def test_wilson_matches_published_values_and_stays_in_range():
    low, high = wilson(np.array([0, 10, 81]), np.array([10, 10, 263]))
    np.testing.assert_allclose(low, [0.0, 0.7225, 0.2553], atol=1e-4)
    np.testing.assert_allclose(high, [0.2775, 1.0, 0.3662], atol=1e-4)


def test_spread_keeps_order_and_gap():
    values = [0.5, 0.51, 0.49, 0.0, 1.0, 0.99]
    placed = spread(values, 0.1, 0.0, 1.0)
    assert np.argsort(placed).tolist() == np.argsort(values).tolist()
    assert min(np.diff(sorted(placed))) >= 0.1 - 1e-12
    assert (min(placed), max(placed)) == (0.0, 1.0)


def test_narrowing_steps_fall_back_to_even_ones(demo):
    data = demo[0]
    flat = data.assign(effective_categories=data["effective_categories"] * 0 + 2)
    last = data.sizes["step"] - 1
    assert narrowing_steps(flat)[0] == 0
    assert narrowing_steps(flat)[-1] == narrowing_steps(data)[-1] == last


def test_corners_lie_on_the_unit_circle_and_ribbons_are_closed():
    for count in (2, 3, 4, 20):
        np.testing.assert_allclose(np.hypot(*corners(count).T), 1.0)
    band = ribbon(0.0, 1.0, 0.2, 0.5, 0.1)
    assert band.vertices[0].tolist() == band.vertices[-1].tolist() == [0.0, 0.2]


@pytest.mark.parametrize(
    ("value", "told"), [(0.0, "0%"), (1.0, "100%"), (0.004, "<1%"), (0.996, ">99%"), (None, "n/a")]
)
def test_percent_never_hides_a_few(value, told):
    assert percent(value) == told


def test_short_keeps_one_line():
    assert short("a\n b") == "a b"
    assert len(short("y" * 40)) == 12
