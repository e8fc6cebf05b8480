"""The sandbox of the page in a real browser: one simulated person, the parts of rules, and crowds."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

pytestmark = pytest.mark.slow
Open = Callable[..., Any]
Until = Callable[[Any, str], None]


@pytest.fixture
def page(opened: Open, address: str) -> Any:
    return sandbox(opened, address)


def sandbox(opened: Open, address: str, **settings: Any) -> Any:
    page = opened(address, **settings)
    page.locator("main > :last-child").scroll_into_view_if_needed()
    page.locator("#person-t").wait_for()
    return page


def wait_for_post(page: Any, number: int) -> None:
    from playwright.sync_api import expect

    expect(page.locator("#person-t")).to_have_text(str(number))


def crowd_of(page: Any) -> None:
    from playwright.sync_api import expect

    page.locator("#scale").scroll_into_view_if_needed()
    expect(page.locator("#crowd-t")).to_have_text("0")


def test_the_keyboard_alone_goes_through_the_sandbox(page: Any) -> None:
    from playwright.sync_api import expect

    def reach(target: Any) -> None:
        for _ in range(200):
            if target.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {target}")

    reach(page.get_by_role("button", name="One post"))
    page.keyboard.press("Enter")
    wait_for_post(page, 1)
    reach(page.get_by_role("slider", name="(0 by reflex"))
    page.keyboard.press("ArrowRight")
    expect(page.locator(".sandbox details pre").first).to_contain_text("intentionality.value=0.21")
    take = page.locator("summary", has_text="Take it with you")
    reach(take)
    page.keyboard.press("Enter")
    reach(page.get_by_role("button", name="Copy a link"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("intentionality=0.21"))
    reach(page.locator(".box"))
    expect(page.locator("#crowd-t")).to_have_text("0")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".sandbox .person")).to_contain_text("In the long run: ")
    reach(page.get_by_role("button", name="50 posts on"))
    page.keyboard.press("Enter")
    expect(page.locator("#crowd-t")).to_have_text("50")
    reach(page.get_by_role("button", name="The two most alike"))
    page.keyboard.press("Enter")
    expect(page.locator(".pair .feed")).to_have_count(2)


def test_the_person_runs_and_beginning_again_gives_the_same_luck(page: Any) -> None:
    from playwright.sync_api import expect

    def after_one_post() -> str:
        page.get_by_role("button", name="Begin again with this seed").first.click()
        wait_for_post(page, 0)
        page.get_by_role("button", name="One post").click()
        wait_for_post(page, 1)
        return str(page.locator(".equation").first.inner_text())

    assert after_one_post() == after_one_post()
    page.get_by_label("posts a second").select_option("100")
    play = page.locator(".sandbox .controls").first.get_by_role("button", name="Play")
    play.click()
    expect(page.locator("#person-t")).to_have_text(re.compile(r"(1[5-9]\d|[2-9]\d\d|\d{4,})$"))
    page.locator(".sandbox .controls").first.get_by_role("button", name="Pause").click()
    expect(page.locator(".reactions circle")).to_have_count(60)


def test_sliders_reach_the_server_and_a_past_step_keeps_its_alpha(page: Any) -> None:
    from playwright.sync_api import expect

    page.get_by_role("button", name="One post").click()
    wait_for_post(page, 1)
    before = page.locator(".equation").first.inner_text()
    assert "0.500 ×" in before
    page.get_by_role("slider", name="(learning rate)").fill("1.5")
    page.get_by_role("slider", name="(0 by reflex").fill("0.9")
    command = page.locator(".sandbox details pre").first
    page.locator("summary", has_text="Take it with you").click()
    expect(command).to_contain_text("intentionality.value=0.9")
    expect(command).to_contain_text("learning_rate=1.5")
    assert page.locator(".equation").first.inner_text() == before


@pytest.mark.parametrize("seed", ["", "-3", "1.5"])
def test_a_seed_that_is_none_is_refused_in_words(page: Any, seed: str) -> None:
    from playwright.sync_api import expect

    page.get_by_label("seed").first.fill(seed)
    page.get_by_role("button", name="Begin again with this seed").first.click()
    expect(page.locator(".trouble")).to_have_text("The seed is a whole number from 0 on, say 7.")


def test_a_link_brings_the_same_person_back_in_the_same_tab_too(opened: Open, page: Any) -> None:
    from playwright.sync_api import expect

    page.get_by_label("seed").first.fill("77")
    page.get_by_role("slider", name="(0 by reflex").fill("0.6")
    page.get_by_role("button", name="Begin again with this seed").first.click()
    page.locator("summary", has_text="Take it with you").click()
    command = page.locator(".sandbox details pre").first
    expect(command).to_contain_text("--seed 77")
    page.get_by_label("seed").first.fill("78")  # in the box, and not yet the person's
    page.get_by_role("button", name="Copy a link").click()
    expect(page).to_have_url(re.compile(r"seed=77&.*intentionality=0\.6"))
    other = opened(page.url)
    other.locator("#person-t").wait_for()
    command = other.locator(".sandbox details pre").first
    expect(command).to_contain_text("--seed 77")
    expect(command).to_contain_text("intentionality.value=0.6")
    assert "seed=77" in other.locator("a", has_text="Scenario file").get_attribute("href")
    other.evaluate("location.hash = 'seed=5&learning_rate=99&clip=5'")
    expect(command).to_contain_text("--seed 5")
    expect(other.locator(".trouble")).to_contain_text("cannot be used for learning rate and clip")


def test_parts_are_switched_on_in_the_live_run_and_off_again(opened: Open, page: Any) -> None:
    from playwright.sync_api import expect

    page.locator(".chain-of-rules").get_by_role("button", name="GRPO").click()
    expect(page.get_by_text("Running now: GRPO.")).to_be_visible()
    one = page.get_by_role("button", name="One post")
    for number in range(1, 9):
        one.click()
        wait_for_post(page, number)
    expect(page.locator(".equation li")).to_have_count(8)
    one.focus()
    page.keyboard.press("Enter")
    wait_for_post(page, 9)
    expect(page.get_by_text("kept, 1 of 8").first).to_be_visible()
    page.get_by_role("button", name="keep 8 posts").press("Enter")
    expect(page.get_by_text("begins with the next session")).to_be_visible()
    expect(page.get_by_role("button", name="A in units")).to_have_attribute("aria-pressed", "false")
    page.locator(".chain-of-rules").get_by_role("button", name="REINFORCE").click()
    expect(page.get_by_text("begins with the next session")).to_be_visible()
    for number in range(10, 18):
        one.click()
        wait_for_post(page, number)
    expect(page.locator(".equation")).to_contain_text("A = G − mean")
    page.locator(".chain-of-rules").get_by_role("button", name="PPO").click()
    expect(page.get_by_text("Running now: PPO.").or_(page.get_by_text("begins with"))).to_be_visible()
    page.locator("summary", has_text="Take it with you").click()
    page.get_by_role("button", name="Copy a link").click()
    expect(page).to_have_url(re.compile(r"baseline=value&.*z_score=true&.*clip=0\.2"))
    other = opened(page.url)
    expect(other.get_by_text("Running now: PPO.")).to_be_attached()
    expect(other.locator(".sandbox details pre").first).to_contain_text("policy.clip_low=0.2")


def test_a_crowd_parts_and_a_person_can_be_asked(page: Any) -> None:
    from playwright.sync_api import expect

    crowd_of(page)
    page.get_by_role("button", name="50 posts on").click()
    expect(page.locator("#crowd-t")).to_have_text("50")
    page.get_by_label("posts a frame").select_option("100")
    play = page.locator(".map .controls").first
    play.get_by_role("button", name="Play").click()
    expect(page.locator(".figures")).to_contain_text(re.compile(r"[789]\d%"))
    play.get_by_role("button", name="Pause").click()
    expect(play.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("spinbutton", name="person").fill("5")
    page.get_by_role("button", name="Who is this?").click()
    told = page.locator(".sandbox .person")
    expect(told).to_contain_text("person 5,")
    page.locator(".box").click(position={"x": 8, "y": 8})
    expect(told).to_contain_text(re.compile(r"In the long run: threat (9\d|100)%"))
    expect(told).to_contain_text("First seen locked in after")
    assert "threat" in page.locator(".box").get_attribute("aria-label")
    size = page.locator(".box").bounding_box()["width"]
    page.locator(".box").hover(position={"x": 8, "y": size - 8})
    expect(told).to_contain_text(re.compile(r"depth (9\d|100)%\."))
    page.locator(".box").focus()
    before = told.locator(".kind").inner_text()
    page.keyboard.press("ArrowDown")
    expect(told.locator(".kind")).not_to_have_text(before)
    page.locator(".map").get_by_role("button", name="Begin again").click()
    expect(page.locator("#crowd-t")).to_have_text("0")


def test_two_neighbours_are_watched_and_a_larger_crowd_is_tiles(page: Any, until: Until) -> None:
    from playwright.sync_api import expect

    crowd_of(page)
    page.get_by_role("button", name="50 posts on").click()
    page.get_by_role("button", name="The two most alike").click()
    expect(page.locator(".pair .feed")).to_have_count(2)
    page.get_by_role("button", name="50 posts on").click()
    expect(page.locator("#crowd-t")).to_have_text("100")
    trail = page.locator(".box .trail.second")
    assert len(trail.get_attribute("points").split()) > 20 and page.locator(".apart").count() == 1
    page.get_by_role("spinbutton", name="person").fill("3")
    page.get_by_role("spinbutton", name="neighbour").fill("4")
    page.get_by_role("button", name="Watch them beside").click()
    expect(page.locator(".pair")).to_contain_text("person 4")
    page.get_by_role("button", name="200,000", exact=True).click()
    expect(page.locator(".box")).to_have_attribute("aria-label", re.compile("200,000 users after 0"))
    page.get_by_role("button", name="50 posts on").click()
    expect(page.locator("#crowd-t")).to_have_text("50")
    lit = (
        "[...document.querySelector('.tiles').getContext('2d').getImageData(0, 0, 128, 128).data].filter(x => x).length"
    )
    until(page, f"{lit} > 1000")
    page.get_by_role("button", name="20,000", exact=True).click()
    expect(page.locator(".box")).to_have_attribute("aria-label", re.compile("Map of 20,000 users after 0"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, address: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = sandbox(
        opened, address, viewport={"width": 360, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    crowd_of(page)
    for panel in page.locator("summary").all():
        panel.click()
    page.get_by_role("button", name="Who is this?").click()
    page.locator(".sandbox .person").wait_for()
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["target"]) for rule in found] == []


def test_every_chart_can_be_taken_along(page: Any, tmp_path: Any) -> None:
    from matplotlib.image import imread

    page.get_by_role("button", name="One post").click()
    wait_for_post(page, 1)
    crowd_of(page)
    page.get_by_role("button", name="50 posts on").click()
    page.get_by_role("button", name="Who is this?").click()
    page.locator(".sandbox .person .feed").wait_for()
    heads = set()
    for button in page.locator(".save button:visible").all():
        with page.expect_download() as coming:
            button.click()
        file = tmp_path / coming.value.suggested_filename
        coming.value.save_as(file)
        if file.suffix == ".csv":
            heads.add(file.read_text().split("\n")[0])
            assert file.read_text().count("\n") > 1
        else:
            picture = imread(file)
            assert picture.shape[1] == 1280 and len(set(map(tuple, picture[::9, ::9, :3].reshape(-1, 3).tolist()))) > 5
    assert heads == {
        "state,category,probability",
        "post,category,state,reaction,baseline,advantage",
        "person,x,y,category",
        "post,threat,tribal,validation,depth",
    }


def test_what_moves_by_itself_slows_down_where_that_is_asked_for(browser: Any, address: str, until: Until) -> None:
    opened = browser.new_page(reduced_motion="reduce")
    opened.set_default_timeout(600_000)
    opened.add_init_script(
        "window.said = []; const send = WebSocket.prototype.send; WebSocket.prototype.send = function (text) {"
        "said.push({ at: performance.now(), ...JSON.parse(text) }); send.call(this, text); }"
    )
    page = sandbox(lambda address: (opened.goto(address), opened)[1], address)
    page.locator(".sandbox .controls").first.get_by_role("button", name="Play").click()
    crowd_of(page)
    page.locator(".map .controls").first.get_by_role("button", name="Play").click()
    for kind in ("go", "auto"):
        until(page, f"said.filter(one => one.type === '{kind}').length >= 4")
    said = page.evaluate("said")
    shown = [one["at"] for one in said if one["type"] == "go"]
    assert all(later - before >= 999 for before, later in pairwise(shown))
    assert all(one["posts"] == 4 for one in said if one["type"] == "auto")
    opened.close()
