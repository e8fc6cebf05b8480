"""The story of the page in a real browser: twenty posts, the step, the crowd, links, pictures, and lost connections."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow
Open = Callable[..., Any]
Until = Callable[[Any, str], None]
STILL = "window.scrollY === (window.before ?? -1) || (window.before = window.scrollY, false)"


def to_the_phone(page: Any, until: Until) -> None:
    from playwright.sync_api import expect

    if "#mirror" not in page.url:  # such an address leads to the phone by itself, and a click would cut that short
        page.get_by_role("link", name="Stand in front of it").click()
    expect(page.locator(".phone")).to_be_in_viewport(ratio=0.7)
    until(page, STILL)


def tiles(page: Any) -> int:
    return int(page.locator(".twenty .ribbon .tile").count())


def wait_for_tiles(page: Any, number: int) -> None:
    from playwright.sync_api import expect

    expect(page.locator(".twenty .ribbon .tile")).to_have_count(number)


def share_one_kind(page: Any, posts: int, kind: str) -> None:
    """Go through posts while the clock stands: share those of one kind after two seconds, leave the others at once."""
    posts_of = page.evaluate("fetch('api/about').then(answer => answer.json())")["posts"]
    of_kind = [post["text"] for post in posts_of if post["category"] == kind]
    for number in range(tiles(page) + 1, tiles(page) + posts + 1):
        wanted = page.locator(".phone article .post").inner_text() in of_kind
        if wanted:
            page.clock.run_for(2200)
        page.keyboard.press("s" if wanted else "ArrowRight")
        wait_for_tiles(page, number)


def test_down_arrow_scrolls_and_reacts_to_nothing(opened: Open, until: Until, address: str) -> None:
    page = opened(address)
    before = page.evaluate("window.scrollY")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    until(page, f"window.scrollY > {before} + 60")
    to_the_phone(page, until)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    wait_for_tiles(page, 1)  # of the right arrow alone


def test_keys_work_after_a_click_in_either_case_and_each_press_counts(opened: Open, until: Until, address: str) -> None:
    from playwright.sync_api import expect

    page = opened(address)
    to_the_phone(page, until)
    page.get_by_role("button", name="Scroll on").click()
    wait_for_tiles(page, 1)
    page.keyboard.press("Shift+L")
    wait_for_tiles(page, 2)
    expect(page.locator(".told")).to_contain_text("liked it")
    page.keyboard.press("s")
    expect(page.locator(".told")).to_contain_text("shared it")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    wait_for_tiles(page, 13)
    page.evaluate("window.scrollTo({ top: 0, behavior: 'instant' })")
    expect(page.locator(".phone")).not_to_be_in_viewport(ratio=0.6)
    page.keyboard.press("s")
    page.wait_for_timeout(300)
    assert tiles(page) == 13  # out of sight, the keys are the page's


def test_time_runs_only_at_the_phone_and_no_first_reaction_goes_the_wrong_way(
    opened: Open, until: Until, address: str
) -> None:
    from playwright.sync_api import expect

    page = opened(address)
    page.wait_for_timeout(4000)  # the introduction is read
    to_the_phone(page, until)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".told")).to_contain_text(re.compile(r"You left\. Less (threat|tribal|validation|depth)\."))
    page.keyboard.press("l")
    expect(page.locator(".told")).to_contain_text(re.compile(r"liked it\. More "))


def test_visitors_differ_and_a_link_shows_theirs_and_then_begins_yours(
    opened: Open, until: Until, address: str
) -> None:
    from playwright.sync_api import expect

    page = opened(address)
    to_the_phone(page, until)
    for key in ("s", "ArrowRight", "l", "s", "ArrowRight", *["ArrowRight"] * 15):
        page.keyboard.press(key)
    wait_for_tiles(page, 20)
    page.get_by_role("button", name="Share this").click()
    page.get_by_role("button", name="Copy the link").click()
    expect(page).to_have_url(re.compile(r"#mirror=\d+\.[A-Za-v]{20}$"))
    kinds = page.locator(".twenty .ribbon").inner_html()
    other = opened(page.url)
    wait_for_tiles(other, 20)
    assert re.sub("s-[A-Za-z0-9_-]+", "", other.locator(".twenty .ribbon").inner_html()) == re.sub(
        "s-[A-Za-z0-9_-]+", "", kinds
    )
    other.get_by_role("button", name="Now make yours").click()
    wait_for_tiles(other, 0)
    seed, packed = re.search(r"mirror=(\d+)\.(.*)", page.url).groups()  # type: ignore[union-attr]
    other.evaluate(f"location.hash = 'mirror={seed}.{packed[:7]}'")  # in the same tab
    wait_for_tiles(other, 7)
    seeds = {seed}
    for _ in range(2):
        fresh = opened(address)
        to_the_phone(fresh, until)
        for _ in range(20):
            fresh.keyboard.press("ArrowRight")
        wait_for_tiles(fresh, 20)
        fresh.get_by_role("button", name="Share this").click()
        fresh.get_by_role("button", name="Copy the link").click()
        expect(fresh).to_have_url(re.compile("mirror="))
        seeds.add(re.search(r"mirror=(\d+)", fresh.url)[1])  # type: ignore[index]
    assert len(seeds) == 3
    broken = opened(address + "#mirror=5.AAAA~~~~")
    wait_for_tiles(broken, 0)


@pytest.mark.parametrize("kind", ["tribal", "depth"])
def test_twenty_posts_form_a_mirror_and_a_picture_of_it(
    opened: Open, until: Until, address: str, tmp_path: Any, kind: str
) -> None:
    from matplotlib.image import imread
    from playwright.sync_api import expect

    page = opened(address + "#mirror=11.", clock=True)
    wait_for_tiles(page, 0)
    to_the_phone(page, until)
    page.clock.pause_at(1_000_000)
    page.locator(".phone").hover()
    share_one_kind(page, 20, kind)
    expect(page.locator(".told")).to_contain_text(re.compile(r"([6-9]|10) of your last 10 posts were one kind\."))
    expect(page.locator(".verdict .cluster")).to_contain_text({"tribal": "beta", "depth": "delta"}[kind])
    page.get_by_role("button", name="Share this").click()
    for shape, size in (("wide", (630, 1200)), ("tall", (1350, 1080))):
        with page.expect_download() as coming:
            page.get_by_role("button", name=f"Picture, {shape}").click()
        file = tmp_path / coming.value.suggested_filename
        coming.value.save_as(file)
        picture = imread(file)
        assert picture.shape[:2] == size and len({*map(tuple, picture[::7, ::7, :3].reshape(-1, 3).tolist())}) > 5
    page.get_by_role("button", name="Keep going").click()
    page.keyboard.press("l")
    wait_for_tiles(page, 21)


def test_the_step_shows_ones_own_numbers_and_what_another_reaction_would_do(opened: Open, address: str) -> None:
    from playwright.sync_api import expect

    page = opened(address + "#mirror=3.BmBBgB")
    wait_for_tiles(page, 6)
    page.get_by_text("So it compares.").scroll_into_view_if_needed()
    page.locator(".beat", has_text="So it compares").evaluate("beat => beat.scrollIntoView({ block: 'center' })")
    replay = page.evaluate("fetch('api/replay?seed=3&reactions=BmBBgB').then(r => r.json())")
    chart = page.locator("#step >> xpath=ancestor::section").locator("figure svg").first
    slider = page.get_by_label("Which post")
    for number, step in enumerate(replay["steps"]):
        slider.fill(str(number))
        expect(chart).to_have_attribute(
            "aria-label", re.compile(rf"G is {step['reward']:.2f}, the mean was {step['baseline']:.2f}")
        )
    page.get_by_label("G, the reaction").fill("1.9")
    expect(chart).to_have_attribute("aria-label", re.compile(r"G is 1\.90"))
    page.get_by_role("button", name="Back to what I did").click()
    expect(chart).to_have_attribute("aria-label", re.compile(rf"G is {replay['steps'][-1]['reward']:.2f}"))


def test_scrolling_moves_the_recorded_crowd(opened: Open, until: Until, address: str) -> None:
    from playwright.sync_api import expect

    page = opened(address)
    page.locator(".later").first.scroll_into_view_if_needed()
    page.locator("#crowd").scroll_into_view_if_needed()
    now = page.locator("#crowd >> xpath=ancestor::section").locator(".now")
    expect(now).to_contain_text("post")
    last = page.get_by_text(re.compile(r"After 1,500 posts, \d+% are locked in\."))
    last.scroll_into_view_if_needed()
    until(page, "window.scrollBy(0, 200), document.querySelector('.now').textContent.includes('1,500')")
    figures = page.evaluate("fetch('recorded/crowd.json').then(r => r.json())")["frames"][-1]
    expect(now).to_contain_text(f"locked in {100 * figures['locked_in']:.0f}%")
    slider = page.get_by_label("Posts", exact=True)
    slider.fill("0")
    expect(now).to_contain_text("post 0")


def test_a_lost_server_is_said_in_sight_and_found_again(opened: Open, until: Until, own_server: Any) -> None:
    from playwright.sync_api import expect

    page = opened(own_server.address, quiet=False)
    page.locator("main > :last-child").scroll_into_view_if_needed()
    page.get_by_role("button", name="One post").click()
    expect(page.locator("#person-t")).to_have_text("1")
    own_server.end()
    expect(page.locator(".toast")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="One post")).to_be_disabled()
    page.get_by_role("link", name="Stand in front of it").click()
    expect(page.locator(".toast")).to_be_in_viewport(ratio=1)
    page.locator(".phone").wait_for()
    before = tiles(page)
    until(page, STILL)
    page.keyboard.press("s")
    wait_for_tiles(page, before + 1)  # the story needs no server
    own_server.start()
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.get_by_text("The person is here again, at post 1,")).to_be_attached()
    page.get_by_role("button", name="One post").click()
    expect(page.locator("#person-t")).to_have_text("2")


def test_after_a_loss_the_sandbox_goes_on_from_where_it_was(opened: Open, own_server: Any) -> None:
    """What is shown after the loss, and after more posts, is what a page shows that lost nothing."""
    from playwright.sync_api import expect

    def person(page: Any, posts: int, after: int) -> None:
        for number in range(after, after + posts):
            page.get_by_role("button", name="One post").click()
            expect(page.locator("#person-t")).to_have_text(str(number + 1))

    def crowd(page: Any, after: int) -> None:
        page.get_by_role("button", name="50 posts on").click()
        expect(page.locator("#crowd-t")).to_have_text(str(after + 50))

    told: list[list[str]] = []
    for loses in (False, True):
        page = opened(own_server.address, quiet=False)
        page.locator("main > :last-child").scroll_into_view_if_needed()
        person(page, 3, 0)
        page.get_by_role("slider", name="(0 by reflex").fill("0.9")
        page.locator(".chain-of-rules").get_by_role("button", name="GRPO").click()
        person(page, 10, 3)
        page.locator(".box").scroll_into_view_if_needed()
        crowd(page, 0)
        page.get_by_role("slider", name="everyone’s λ").fill("0.3")
        crowd(page, 50)
        page.get_by_role("spinbutton", name="person").fill("5")
        page.get_by_role("button", name="Who is this?").click()
        expect(page.locator(".sandbox .person")).to_contain_text("person 5,")
        if loses:
            own_server.end()
            expect(page.locator(".toast")).to_be_in_viewport(ratio=1)
            own_server.start()
            expect(page.locator(".toast")).to_have_count(0)
            expect(page.get_by_text("The person is here again, at post 13,")).to_be_attached()
            expect(page.get_by_text("The crowd is here again, at post 100,")).to_be_attached()
            expect(page.locator("#person-t")).to_have_text("13")
            expect(page.locator("#crowd-t")).to_have_text("100")
        person(page, 8, 13)
        crowd(page, 100)
        expect(page.locator(".box .trail")).to_have_count(1)
        seen = (".state", ".equation", ".figures", ".sandbox .person", ".sandbox details pre", ".reactions circle")
        told.append([one for part in seen for one in page.locator(part).all_inner_texts()])
    assert told[0] == told[1]


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_it_fits_the_width_and_nothing_jumps(opened: Open, address: str, width: int) -> None:
    page = opened(address, viewport={"width": width, "height": 800})
    page.evaluate(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach("
        "one => one.hadRecentInput || (shift += one.value))).observe({ type: 'layout-shift', buffered: true })"
    )
    page.locator(".later").first.scroll_into_view_if_needed()
    page.locator("#sandbox").wait_for(state="attached")
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("shift") < 0.05
    heads = page.locator("h1, h2").all()
    assert len(heads) > 5 and all(head.bounding_box()["x"] >= 0 for head in heads)
    wide = "one => one.scrollWidth > one.clientWidth + 2"
    assert (
        page.evaluate(f"[...document.querySelectorAll('button, h1, h2')].filter({wide}).map(e => e.textContent)") == []
    )


def test_what_is_served_is_small_and_compressed(browser: Any, address: str) -> None:
    page = browser.new_page()
    seen: dict[str, tuple[int, str]] = {}

    def note(answer: Any) -> None:
        told = answer.all_headers()
        seen[answer.url.removeprefix(address)] = (int(told.get("content-length", 0)), told.get("content-encoding", ""))

    page.on("response", note)
    page.goto(address)
    page.locator(".phone article:not([aria-busy])").wait_for()
    page.close()
    first = {name: size for name, (size, _) in seen.items() if not name.startswith("recorded/")}
    assert 20_000 < sum(first.values()) <= 150_000, first
    assert all(how == "gzip" for name, (_, how) in seen.items() if name.endswith((".js", ".css", "api/about")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_story(opened: Open, address: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(
        address + "#mirror=3.BmBBgBBmBBgBBmBBgBBm", viewport={"width": 1280, "height": 900}, color_scheme=scheme
    )
    page.locator(".later").first.scroll_into_view_if_needed()
    page.locator("#crowd").wait_for(state="attached")
    page.wait_for_timeout(1500)
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["target"]) for rule in found] == []


def test_a_lecture_goes_from_chapter_to_chapter_and_a_frame_has_one(opened: Open, until: Until, address: str) -> None:
    from playwright.sync_api import expect

    page = opened(address + "?present")
    top = "Math.abs(document.getElementById('{}').closest('section').getBoundingClientRect().top) < 200"
    page.keyboard.press("ArrowRight")
    until(page, top.format("mirror"))
    page.keyboard.press("ArrowRight")
    until(page, top.format("step"))
    assert tiles(page) == 0  # the arrow is the lecture's
    page.keyboard.press("ArrowRight")
    until(page, top.format("arousal"))
    page.keyboard.press("ArrowLeft")
    until(page, top.format("step"))
    page.keyboard.press("b")
    expect(page.locator(".blank")).to_have_count(1)
    page.keyboard.press("b")
    expect(page.locator(".blank")).to_have_count(0)
    alone = page.context.browser.new_page()
    alone.goto(address + "?only=twins")
    expect(alone.locator("h1, h2")).to_have_text(["The twins"])
    alone.close()


def chapter(page: Any, name: str) -> Any:
    """Bring a chapter of the later ones into the window, and return it."""
    page.locator(".later").first.scroll_into_view_if_needed()
    found = page.locator(f"#{name} >> xpath=ancestor::section")
    found.scroll_into_view_if_needed()
    return found


def test_each_scene_shows_its_own_figure_and_can_be_run_again(opened: Open, address: str) -> None:
    from playwright.sync_api import expect

    page = opened(address)
    square = chapter(page, "square")
    scenes = page.evaluate("fetch('recorded/story.json').then(answer => answer.json())")["scenes"]
    square.get_by_role("button", name="Radicalization").click()
    intensity = next(
        one for one in scenes["radicalization"]["intensity-cap"]["effects"] if one["metric"] == "intensity"
    )
    expect(square.locator(".words .large")).to_have_text(
        f"intensity: {intensity['base']:.2f} without, {intensity['changed']:.2f} with"
    )
    square.get_by_role("button", name="Polarization").click()
    ends = scenes["polarization"]["exploration"]["strangers"]["without"]["mean"]
    assert ends[0] > 0.98 and ends[-1] < 0.5  # alike at first, apart at the end
    expect(square.get_by_role("img", name="begins at 1")).to_have_count(1)
    square.get_by_role("button", name="Filter bubble").click()
    square.get_by_role("button", name="a leash to an even feed").click()
    table = square.locator("tbody").inner_text()
    square.get_by_role("button", name="Run it here, now").click()
    expect(square.get_by_text("Computed just now")).to_be_visible()
    assert square.locator("tbody").inner_text() == table


def test_guesses_ratings_wishes_and_parts_do_what_they_say(opened: Open, address: str) -> None:
    from playwright.sync_api import expect

    page = opened(address)
    story = page.evaluate("fetch('recorded/story.json').then(answer => answer.json())")
    neighbours = chapter(page, "neighbours")
    neighbours.get_by_label("Your guess at distance 0.3").fill("0.05")
    neighbours.get_by_role("button", name="Compare with the crowd").click()
    share = story["neighbours"]["curve"][2]["same_luck"]["share"]
    expect(neighbours.locator(".chart")).to_have_attribute("aria-label", re.compile(rf"{100 * share:.1f}% at 0\.3"))
    twins = chapter(page, "twins")
    twins.get_by_role("button", name="the labeller").click()
    depth = {
        post["text"]
        for post in page.evaluate("fetch('api/about').then(a => a.json())")["posts"]
        if post["category"] == "depth"
    }
    for _ in range(6):
        choices = twins.locator(".choice").all()
        next(one for one in choices if one.inner_text() in depth).click()
    expect(twins.get_by_text("You chose depth in 6 of 6 pairs")).to_be_visible()
    expect(twins.locator("dd").first).to_have_text("100%")
    twins.get_by_role("button", name="the prompt", exact=True).click()
    twins.get_by_role("button", name="Nothing but what is worth my time").click()
    expect(twins.locator("dd").first).to_have_text(f"{100 * story['twins']['levers']['prompts'][8]['value'][4]:.0f}%")
    bolts = chapter(page, "bolted")
    expect(bolts.get_by_text("No part is on")).to_be_visible()
    bolts.get_by_role("button", name="a bracket").click()
    expect(bolts.get_by_text("Not one post differs")).to_be_visible()
    bolts.get_by_role("button", name="in units of its spread").click()
    expect(bolts.get_by_role("button", name="a tray")).to_have_attribute("aria-pressed", "true")
    expect(bolts.get_by_text("The first post that differs")).to_be_visible()
    for part in ("a tray", "a bracket"):
        bolts.get_by_role("button", name=part).click()
    expect(bolts.get_by_text("No part is on")).to_be_visible()


def test_a_weight_of_the_platform_is_turned_while_the_person_goes_on(opened: Open, address: str) -> None:
    from playwright.sync_api import expect

    courses = []
    for turned in ("1", "4"):
        page = opened(address, reduced_motion="reduce")
        giver = chapter(page, "giver")
        expect(giver.get_by_role("slider")).to_have_count(0)
        giver.get_by_role("button", name="the platform").click()
        expect(giver.get_by_role("slider")).to_have_count(9)
        giver.get_by_role("slider", name="reply").fill(turned)
        expect(giver.get_by_role("slider", name="reply")).to_have_attribute("aria-valuetext", str(5 * int(turned)))
        expect(giver.get_by_role("slider", name="report")).to_have_attribute("aria-valuetext", "-234")
        for _ in range(3):
            giver.get_by_role("button", name="Play").click()
        expect(giver.locator(".controls p")).to_contain_text("post 400;")
        courses.append(
            giver.locator(".ribbon .tile").evaluate_all("tiles => tiles.map((tile) => tile.className.baseVal)")
        )
    assert courses[0] != courses[1] and len(courses[0]) == len(courses[1])


def test_whoever_provides_the_reward_is_switched_while_the_person_goes_on(opened: Open, address: str) -> None:
    from playwright.sync_api import expect

    page = opened(address, reduced_motion="reduce")
    giver = chapter(page, "giver")
    post = giver.locator(".controls p")
    expect(giver.locator(".now")).to_contain_text(re.compile(r"47 of 50\s+of the last posts are tribal"))
    expect(post).to_contain_text("post 200;")
    giver.get_by_role("button", name="the rater").click()  # with less motion, fifty posts at once
    for _ in range(3):
        giver.get_by_role("button", name="Play").click()
    expect(post).to_contain_text("post 400;")
    expect(giver.locator(".now")).to_contain_text("48 of 50")
    giver.get_by_role("button", name="the clicker").click()
    expect(post).to_contain_text("post 450;")
    expect(giver.locator(".now")).to_contain_text("are depth")
    expect(giver.get_by_text("threat 16%, tribal 21%")).to_be_visible()
    giver.get_by_role("button", name="From post 200 again").click()
    giver.get_by_role("button", name="the prompter").click()
    expect(post).to_contain_text("post 250;")
    expect(giver.locator(".now")).to_contain_text("are depth")
    giver.get_by_role("button", name="the clicker").click()
    expect(post).to_contain_text("post 300;")
    expect(giver.locator(".now")).to_contain_text("are tribal")
    giver.get_by_role("button", name="From post 200 again").click()
    expect(post).to_contain_text("post 200;")
    expect(giver.locator(".ribbon .tile")).to_have_count(200)


def test_recordings_that_do_not_arrive_are_said(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.set_default_timeout(600_000)
    page.route("**/story.json", lambda route: route.abort())
    page.goto(address)
    page.locator(".later").first.scroll_into_view_if_needed()
    page.get_by_text("The recorded figures of these chapters did not arrive.").wait_for()
    page.close()
