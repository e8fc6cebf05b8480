"""The page in a real browser: clicks, keys, sliders and autopilot. Skipped where there is no chromium."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
PATIENCE = 600_000  # milliseconds for a condition that has to come, on however slow a machine
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; install it to run the page's tests"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "mirrorfield", "serve", "--port", str(port), "--per-address", "1000"],
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None and server.stdout.readline()  # said once it listens
    yield f"http://127.0.0.1:{port}/"
    server.terminate()
    server.communicate()


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def opened_page(browser, address: str, **settings):
    opened = browser.new_page(**settings)
    opened.set_default_timeout(PATIENCE)
    opened.goto(address)
    opened.wait_for_selector("article")
    return opened


@pytest.fixture
def page(browser, address: str) -> Iterator:
    opened = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened.set_default_timeout(PATIENCE)
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if "GL Driver" not in message.text else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("article")
    yield opened
    assert said == []
    opened.close()


def post_number(page) -> int:
    return int(page.locator(".phone .kind").inner_text().split("post ")[1])


def wait_for_post(page, number: int) -> None:
    from playwright.sync_api import expect

    expect(page.locator(".phone article")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".phone .kind")).to_have_text(re.compile(rf"post {number}\s*$"))


def served(page, category: int) -> float:
    text = page.locator(".state.lit .number").nth(category).text_content()
    return float(text.rstrip("%"))


def test_clicks_move_the_policy_towards_what_is_shared(page) -> None:
    for number in range(2, 42):
        wanted = page.locator(".phone .kind").inner_text().strip().startswith("depth")
        page.get_by_role("button", name="Share" if wanted else "Scroll on").click()
        wait_for_post(page, number)
    assert served(page, 3) > 50


def test_keys_alone_are_enough(page) -> None:
    for number, key in enumerate(["l", "s", "ArrowDown", "ArrowRight"], 2):
        page.keyboard.press(key)
        wait_for_post(page, number)
    assert "θ[" in page.locator(".equation").first.inner_text()
    for _ in range(12):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('input, select, button, summary')")


def test_the_keyboard_alone_goes_through_the_whole_story(page) -> None:
    from playwright.sync_api import expect

    def reach(target) -> None:
        for _ in range(150):
            if target.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"Tab never reaches {target}")

    page.keyboard.press("s")
    wait_for_post(page, 2)
    reach(page.get_by_label("on", exact=True))
    page.keyboard.press("Space")
    expect(page.locator(".phone .kind")).to_have_text(re.compile(r"post ([4-9]|\d\d)"))
    page.keyboard.press("Space")
    reach(page.get_by_role("slider", name="(0 reactive"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("pre").first).to_contain_text("intentionality.value=0.21")
    reach(page.get_by_role("button", name="Copy a link"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("intentionality=0.21"))
    reach(page.locator(".box"))
    expect(page.locator("#crowd-t")).to_have_text("0")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".person")).to_contain_text("In the long run: ")
    reach(page.get_by_role("button", name="50 posts on"))
    page.keyboard.press("Enter")
    expect(page.locator("#crowd-t")).to_have_text("50")
    reach(page.get_by_role("button", name="The two most alike"))
    page.keyboard.press("Enter")
    expect(page.locator(".pair .feed")).to_have_count(2)
    panel = page.locator("details.panel").first
    reach(panel.locator("summary"))
    page.keyboard.press("Enter")
    reach(panel.get_by_role("button", name="Run it"))
    page.keyboard.press("Enter")
    expect(panel.locator("tbody tr").first).to_be_visible()
    reach(page.get_by_role("button", name="Let the autopilot react"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause the mirror")).to_be_visible()


def test_autopilot_runs_and_starting_anew_gives_the_same_luck(page) -> None:
    from playwright.sync_api import expect

    def after_one_step() -> str:
        page.get_by_role("button", name="Start anew").click()
        wait_for_post(page, 1)
        page.get_by_role("button", name="One step").click()
        wait_for_post(page, 2)
        return page.locator(".equation").first.inner_text()

    assert after_one_step() == after_one_step()
    page.get_by_label("posts a second").select_option("100")
    page.get_by_label("on", exact=True).check()
    expect(page.locator(".phone .kind")).to_have_text(re.compile(r"post (1[5-9]\d|[2-9]\d\d|\d{4,})\s*$"))
    page.get_by_label("on", exact=True).uncheck()
    expect(page.locator(".reactions circle")).to_have_count(60)


def test_sliders_reach_the_server(page) -> None:
    from playwright.sync_api import expect

    page.get_by_role("slider", name="(learning rate)").fill("1.5")
    page.get_by_role("slider", name="(0 reactive").fill("0.9")
    expect(page.locator("pre").first).to_contain_text("intentionality.value=0.9")
    expect(page.locator("pre").first).to_contain_text("learning_rate=1.5")


def test_a_link_brings_the_same_mirror_back(page, browser, address: str) -> None:
    from playwright.sync_api import expect

    page.get_by_label("seed").fill("77")
    page.get_by_role("slider", name="(0 reactive").fill("0.6")
    page.get_by_role("button", name="Start anew with").click()
    page.get_by_role("button", name="Copy a link").click()
    expect(page).to_have_url(re.compile(r"seed=77&.*intentionality=0\.6"))
    expect(page.locator("pre").first).to_contain_text("--seed 77")
    first = page.locator(".phone .post").inner_text()
    other = opened_page(browser, page.url)
    expect(other.locator("pre").first).to_contain_text("--seed 77")
    expect(other.locator("pre").first).to_contain_text("intentionality.value=0.6")
    assert other.locator(".phone .post").inner_text() == first
    assert other.get_by_text('"seed": 77').count() == 1
    assert "seed=77" in other.get_by_role("link", name="Scenario file").get_attribute("href")
    other.close()


def test_parts_are_switched_on_in_the_live_run_and_off_again(page, browser) -> None:
    from playwright.sync_api import expect

    page.get_by_role("button", name="GRPO").click()
    expect(page.get_by_text("Running now: GRPO.")).to_be_visible()
    one = page.get_by_role("button", name="One post")
    for number in range(2, 10):
        one.click()
        wait_for_post(page, number)
    expect(page.locator("#equation-again + .equation li")).to_have_count(8)
    one.focus()
    page.keyboard.press("Enter")
    wait_for_post(page, 10)
    expect(page.get_by_text("kept, 1 of 8").first).to_be_visible()
    page.get_by_role("button", name="keep 8 posts").press("Enter")
    expect(page.get_by_text("begins with the next session")).to_be_visible()
    expect(page.get_by_role("button", name="A in units")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="REINFORCE").click()
    wait_for_post(page, 10)  # a click while the server answers is not taken
    for number in range(11, 19):
        one.click()
        wait_for_post(page, number)
    expect(page.locator("#equation-again + .equation")).to_contain_text("A = G − mean")
    page.get_by_role("button", name="PPO").click()
    expect(page.get_by_text("Running now: PPO.").or_(page.get_by_text("begins with"))).to_be_visible()
    page.get_by_role("button", name="Copy a link").click()
    expect(page).to_have_url(re.compile(r"baseline=value&.*z_score=true&.*clip=0\.2"))
    other = opened_page(browser, page.url)
    expect(other.get_by_text("Running now: PPO.")).to_be_visible()
    expect(other.locator("pre").first).to_contain_text("policy.clip_low=0.2")
    other.close()


def test_a_panel_answers(page) -> None:
    from playwright.sync_api import expect

    panel = page.locator("details.panel").nth(1)
    panel.locator("summary").click()
    panel.get_by_label("what if").select_option("leash")
    panel.get_by_role("button", name="Run it").click()
    expect(panel.locator("tbody tr")).to_have_count(3)
    expect(panel.locator("pre")).to_contain_text("mirrorfield compare default")
    expect(panel.locator(".without")).to_have_count(1)
    expect(panel.locator(".now")).to_have_text("filter bubble 0.00")
    for posts in (50, 100):
        panel.get_by_role("button", name="50 posts more").click()
        expect(page.locator("#crowd-t")).to_have_text(str(posts))
    expect(panel.locator(".now")).to_have_text("filter bubble 0.09")
    assert len(panel.locator(".line").get_attribute("points").split()) == 3


def test_a_crowd_parts_and_a_person_can_be_asked(page) -> None:
    from playwright.sync_api import expect

    page.locator("#scale").scroll_into_view_if_needed()
    expect(page.locator("#crowd-t")).to_have_text("0")
    page.get_by_role("button", name="50 posts on").click()
    expect(page.locator("#crowd-t")).to_have_text("50")
    page.get_by_label("posts a frame").select_option("100")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".figures")).to_contain_text(re.compile(r"[789]\d%"))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("spinbutton", name="person").fill("5")
    page.get_by_role("button", name="Who is this?").click()
    expect(page.locator(".person")).to_contain_text("person 5,")
    page.locator(".box").click(position={"x": 8, "y": 8})
    expect(page.locator(".person")).to_contain_text(re.compile(r"In the long run: threat (9\d|100)%"))
    expect(page.locator(".person")).to_contain_text("First seen locked in after")
    assert "threat" in page.locator(".box").get_attribute("aria-label")
    size = page.locator(".box").bounding_box()["width"]
    page.locator(".box").hover(position={"x": 8, "y": size - 8})
    expect(page.locator(".person")).to_contain_text(re.compile(r"depth (9\d|100)%\."))
    page.locator(".box").focus()
    before = page.locator(".person .kind").inner_text()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".person .kind")).not_to_have_text(before)
    assert post_number(page) == 1
    page.get_by_role("button", name="Begin anew").click()
    expect(page.locator("#crowd-t")).to_have_text("0")


def test_two_neighbours_are_watched_and_a_larger_crowd_is_tiles(page) -> None:
    from playwright.sync_api import expect

    page.locator("#scale").scroll_into_view_if_needed()
    expect(page.locator("#crowd-t")).to_have_text("0")
    page.get_by_role("button", name="50 posts on").click()
    page.get_by_role("button", name="The two most alike").click()
    expect(page.locator(".pair .feed")).to_have_count(2)
    page.get_by_role("button", name="50 posts on").click()
    expect(page.locator("#crowd-t")).to_have_text("100")
    trail = page.locator(".trail.second")
    assert len(trail.get_attribute("points").split()) > 20 and page.locator(".apart").count() == 1
    page.get_by_role("spinbutton", name="person").fill("3")
    page.get_by_role("spinbutton", name="neighbour").fill("4")
    page.get_by_role("button", name="Watch it beside").click()
    expect(page.locator(".pair")).to_contain_text("person 4")
    page.get_by_role("button", name="200,000", exact=True).click()
    expect(page.locator(".box")).to_have_attribute("aria-label", re.compile("200,000 users after 0"))
    page.get_by_role("button", name="50 posts on").click()
    expect(page.locator("#crowd-t")).to_have_text("50")
    lit = (
        "[...document.querySelector('.tiles').getContext('2d').getImageData(0, 0, 128, 128).data].filter(x => x).length"
    )
    page.wait_for_function(f"{lit} > 1000")
    page.get_by_role("button", name="One billion").click()
    expect(page.locator(".billion")).to_contain_text("A recorded run, not live.")
    page.get_by_role("button", name="20,000", exact=True).click()
    expect(page.locator(".box")).to_have_attribute("aria-label", re.compile("Map of 20,000 users after 0"))


@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_the_width(browser, address: str, width: int) -> None:
    opened = opened_page(browser, address, viewport={"width": width, "height": 800})
    for panel in opened.locator("summary").all():
        panel.click()
    opened.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    small = opened.evaluate(
        "[...document.querySelectorAll('button, select')].filter(e => e.getBoundingClientRect().height < 24).length"
    )
    assert small == 0
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, address: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = opened_page(browser, address, viewport={"width": 360, "height": 900}, color_scheme=scheme)
    opened.keyboard.press("l")
    opened.locator("#scale").scroll_into_view_if_needed()
    opened.locator("#crowd-t").wait_for()
    for panel in opened.locator("summary").all():
        panel.click()
    opened.get_by_role("button", name="Who is this?").click()
    opened.locator(".person").wait_for()
    found = Axe().run(opened).response["violations"]
    assert [(rule["id"], rule["impact"]) for rule in found] == []
    opened.close()


def test_every_chart_can_be_taken_along(page, tmp_path) -> None:
    from matplotlib.image import imread

    page.keyboard.press("l")
    wait_for_post(page, 2)
    page.locator("#scale").scroll_into_view_if_needed()
    page.locator("#crowd-t").wait_for()
    page.get_by_role("button", name="50 posts on").click()
    page.get_by_role("button", name="Who is this?").click()
    page.locator(".person .feed").wait_for()
    page.locator("details.panel summary").nth(1).click()
    page.locator(".lines").nth(1).wait_for()
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
        "post,filter_bubble",
    }


def test_what_moves_by_itself_slows_down_where_that_is_asked_for(browser, address: str) -> None:
    opened = browser.new_page(reduced_motion="reduce")
    opened.set_default_timeout(PATIENCE)
    opened.add_init_script(
        "window.said = []; const send = WebSocket.prototype.send; WebSocket.prototype.send = function (text) {"
        "said.push({ at: performance.now(), ...JSON.parse(text) }); send.call(this, text); }"
    )
    opened.goto(address)
    opened.get_by_label("on", exact=True).check()
    opened.locator("#scale").scroll_into_view_if_needed()
    opened.locator("#crowd-t").wait_for()
    opened.get_by_role("button", name="Play").click()
    for kind in ("go", "auto"):
        while len([one for one in opened.evaluate("said") if one["type"] == kind]) < 4:
            pass
    said = opened.evaluate("said")
    shown = [one["at"] for one in said if one["type"] == "go"]
    assert all(later - before >= 999 for before, later in pairwise(shown))
    assert all(one["posts"] == 4 for one in said if one["type"] == "auto")
    opened.close()
