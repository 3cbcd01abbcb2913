"""The page in a real Chromium against a real server: live, in two languages, accessible, safe, also without script."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.running import CityProcess, city_process
from tests.stories import ask_help, offer, organisation, person, pledge, report, see, see_status

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KEBAYORAN = {"lon": 106.799, "lat": -6.244}
PRIOK = {"lon": 106.886, "lat": -6.129}
# Two cores may have more to do than these tests.
expect.set_options(timeout=15_000)
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOSTILE = (
    "<script>window.harmed = true</script>",
    '" onmouseover="window.harmed = true" x="',
    "<img src=x onerror='window.harmed = true'>",
    "مساعدة عاجلة لعائلة",
    "x" * 140,
    "👩🏽‍🚒🔥 kebakaran",
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityProcess]:
    with city_process(tmp_path_factory.mktemp("city")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def api(city: CityProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=city.url, timeout=30) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        assert os.environ.get("CI") != "true", "CI needs Chromium for the page's tests"
        pytest.skip("there is no Chromium here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def visit(
    browser: Browser, city: CityProcess, address: str = "/", *, broken: bool = False, **context: Any
) -> AsyncIterator[Page]:
    """A page that is open and live. It may ask nothing of another host, nor complain, unless the city is `broken`."""
    visitor = await browser.new_context(**{"locale": "id-ID", "viewport": {"width": 1280, "height": 900}, **context})
    page = await visitor.new_page()
    hosts: set[str | None] = set()
    complaints: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(city.url + address)
    if context.get("java_script_enabled", True) and address != "/docs":
        await expect(page.locator("#state.live")).to_be_visible()
    yield page
    assert hosts == {"127.0.0.1"}
    assert broken or complaints == []
    await visitor.close()


def card(page: Page, request: dict[str, Any]) -> Any:
    return page.locator(f"#r-{request['id']}")


async def told(page: Page) -> list[str]:
    """The sentences of the log, with those marked that belong to the one below them."""
    script = "items => items.map(item => item.querySelector('p').innerText + (item.matches('.same') ? ' ^' : ''))"
    found: list[str] = await page.locator("#log li").evaluate_all(script)
    return found


async def test_a_request_appears_as_soon_as_it_is_made(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient
) -> None:
    sari = await person(api)
    async with visit(chromium, city) as page, visit(chromium, city, "/?area=31.72") as north:
        made = await report(sari, title="Lampu jalan mati", location=KEBAYORAN)

        await expect(card(page, made).get_by_role("heading", name="Lampu jalan mati")).to_be_visible()
        await expect(page.locator("#log li").first).to_contain_text("Seorang warga melaporkan: Lampu jalan mati")
        # Elsewhere the event is told, but the list keeps to its filter.
        await expect(north.locator("#log li").first).to_contain_text("Lampu jalan mati")
        there = await report(sari, title="Sampah di pelabuhan", location=PRIOK)
        await expect(card(north, there)).to_be_visible()
        await expect(card(north, made)).to_have_count(0)


async def test_cards_change_as_promises_are_made(chromium: Browser, city: CityProcess, api: httpx.AsyncClient) -> None:
    sari, budi, shop = await person(api), await person(api), await organisation(api, "company", "Toko Beras")
    given = await offer(shop, "kg", 100, title="Beras untuk warga")
    asked = await ask_help(sari, ("Beras", 50, "kg"), title="Dapur umum")
    async with visit(chromium, city) as page:
        await expect(card(page, asked)).to_contain_text("butuh 50 kg")
        await pledge(budi, asked, 20)
        await expect(card(page, asked)).to_contain_text("kurang 30 dari 50 kg")
        await expect(card(page, asked).locator("rect.reserved")).to_have_attribute("width", "40.0%")
        wish = {"offer_id": given["id"], "request_id": asked["id"], "need_id": asked["needs"][0]["id"], "quantity": 30}
        await shop.create("/api/sponsorships", wish)
        await expect(card(page, asked)).to_contain_text("50 kg, semua sudah dijanjikan")
        await expect(card(page, asked)).to_contain_text("Dipikul 1 warga, 1 perusahaan")
        await expect(page.locator(f"#o-{given['id']}")).to_contain_text("sisa 70 dari 100 kg")


async def test_a_new_offer_joins_the_others(chromium: Browser, city: CityProcess, api: httpx.AsyncClient) -> None:
    shop = await organisation(api, "company", "Apotek")
    async with visit(chromium, city) as page:
        made = await offer(shop, "IDR", 2_000_000, title="Dana obat")

        await expect(page.locator(f"#o-{made['id']}")).to_contain_text("tersedia Rp\u00a02.000.000")


async def a_busy_hour(api: httpx.AsyncClient, title: str) -> None:
    """A request and an offer, and most of what can happen to them."""
    sari, budi, shop = await person(api), await person(api), await organisation(api, "company", "Koperasi")
    asked = await ask_help(sari, ("Tenaga", 1_200, "person"), title=title, approval="automatic")
    await offer(shop, "IDR", 2_500_000, title="Dana warga")
    promised = await pledge(budi, asked, 1)
    await see_status(api, f"/api/pledges/{promised['id']}", "accepted")
    await budi.post(f"/api/pledges/{promised['id']}/withdraw")
    await see(api, f"/api/requests/{asked['id']}", lambda it: it["contributions"][0]["status"] == "released")
    await shop.post(f"/api/requests/{asked['id']}/support")
    await sari.post(f"/api/requests/{asked['id']}/comments", {"text": "Terima kasih"})
    await sari.post(f"/api/requests/{asked['id']}/cancel", {"note": "selesai"})


@pytest.mark.parametrize(
    ("language", "last"),
    [
        (
            "id",
            ("Permintaan dibatalkan: ", "Seorang warga menulis komentar di ", "Seorang warga menarik janjinya untuk "),
        ),
        ("en", ("Request cancelled: ", "A resident comments on ", "A resident withdrew a pledge for ")),
    ],
)
async def test_live_sentences_are_those_of_the_first_paint(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient, language: str, last: tuple[str, ...]
) -> None:
    title = f"Kerja bakti {language}"
    async with visit(chromium, city, f"/?lang={language}&q=tidakada") as page:
        await a_busy_hour(api, title)
        # Events of different subjects come in any order.
        for sentence in last:
            await expect(page.locator("#log")).to_contain_text(sentence + title)
        live = await told(page)
        await page.reload()
        assert await told(page) == live
        assert 10 < len(live) <= 20


async def test_the_language_can_be_switched_and_is_remembered(chromium: Browser, city: CityProcess) -> None:
    async with visit(chromium, city, "/?q=tidakada") as page:
        await expect(page.locator("html")).to_have_attribute("lang", "id")
        await page.get_by_role("searchbox").fill("belumada")
        await page.keyboard.press("Enter")
        await expect(page.locator(".chips")).to_contain_text("belumada")
        await page.get_by_role("link", name="English").click()
        await expect(page.get_by_role("heading", name="What is needed")).to_be_visible()
        await expect(page.get_by_role("searchbox")).to_have_value("belumada")
        await page.goto(city.url)
        await expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_people_write_does_nothing(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient, text: str
) -> None:
    sari, shop = await person(api), await organisation(api, "company", text[:60])
    async with visit(chromium, city, viewport={"width": 360, "height": 740}) as page:
        made = await ask_help(sari, (text[:60], 5, "kg"), title=text, body=text)
        given = await offer(shop, "kg", 50, title=text)
        for shown in (card(page, made), page.locator(f"#o-{given['id']}")):
            await expect(shown.locator("h3")).to_have_text(text)
            await shown.hover()
        await expect(page.locator("#log li b", has_text=text).first).to_be_visible()
        await page.reload()
        await card(page, made).hover()
        await expect(card(page, made).locator("h3")).to_have_text(text)
        assert await page.evaluate("window.harmed") is None
        assert await page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "address"), [(1280, "/?lang=en"), (360, "/"), (360, "/?q=beras&area=31.74&lang=en")])
async def test_axe_finds_nothing_wrong(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient, scheme: str, width: int, address: str
) -> None:
    sari, shop = await person(api), await organisation(api, "company", "Toko")
    asked = await ask_help(
        sari, ("Beras", 50, "kg"), ("Tenaga", 3, "person"), title="Beras untuk lansia", location=KEBAYORAN
    )
    await pledge(await person(api), asked, 20)
    await offer(shop, "kg", 50, title="Beras")
    size = {"width": width, "height": 740}
    async with visit(chromium, city, address, viewport=size, color_scheme=scheme, reduced_motion="reduce") as page:
        await page.evaluate((resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
        found = await page.evaluate("axe.run({resultTypes: ['violations']})")
        wrong = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
        assert wrong == []
        assert await page.evaluate("document.documentElement.scrollWidth") == width


async def selokan(api: httpx.AsyncClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two requests that the same word finds, in the south and in the north."""
    sari = await person(api)
    south = await report(sari, title="Selokan mampet", category="drainage", location=KEBAYORAN)
    return south, await report(sari, title="Selokan bau", category="drainage", location=PRIOK)


async def test_filters_work_in_place(chromium: Browser, city: CityProcess, api: httpx.AsyncClient) -> None:
    south, north = await selokan(api)
    async with visit(chromium, city) as page:
        await page.evaluate("window.same = true")
        await page.get_by_label("Cari", exact=True).fill("selokan")
        await page.keyboard.press("Enter")
        await expect(page.locator(".chips")).to_contain_text("selokan")
        await page.get_by_label("Kota", exact=True).select_option("Jakarta Selatan")
        await expect(card(page, north)).to_have_count(0)
        await expect(card(page, south)).to_be_visible()
        await page.get_by_role("link", name="Hapus saringan: Jakarta Selatan").click()
        await expect(card(page, north)).to_be_visible()
        await page.go_back()
        await expect(card(page, north)).to_have_count(0)
        assert await page.evaluate("window.same")


async def test_the_address_of_filters_can_be_shared(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient
) -> None:
    south, north = await selokan(api)
    async with visit(chromium, city, "/?q=selokan&area=31.74") as page:
        await page.get_by_label("Kecamatan").focus()
        await page.get_by_label("Kecamatan").select_option("Kebayoran Baru")
        await expect(page.get_by_label("Kelurahan")).to_be_visible()
        await expect(page.get_by_label("Kecamatan")).to_be_focused()
        address = page.url.removeprefix(city.url)
        assert re.fullmatch(r"/\?q=selokan&area=31\.74\.\d\d", address)
    async with visit(chromium, city, address) as shared:
        await expect(card(shared, south)).to_be_visible()
        await expect(card(shared, north)).to_have_count(0)


async def test_more_of_the_list_is_added_below(chromium: Browser, city: CityProcess, api: httpx.AsyncClient) -> None:
    sari = await person(api)
    for number in range(12):
        await report(sari, title=f"Banyak laporan {number}", location=PRIOK)
    async with visit(chromium, city, "/?q=banyak") as page:
        await expect(page.locator(".card.request")).to_have_count(10)
        await page.get_by_role("link", name="Tampilkan lebih banyak").click()
        await expect(page.locator(".card.request")).to_have_count(12)
        await expect(page.locator("#more")).to_have_count(0)
        await expect(page.locator(".card.request a").nth(20)).to_be_focused()


async def test_what_is_near_is_asked_for_by_a_rounded_place(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient
) -> None:
    made = await report(await person(api), title="Dekat sekali", location={"lon": 106.905, "lat": -6.158})
    here = {"longitude": 106.90821, "latitude": -6.158}
    async with visit(chromium, city, geolocation=here, permissions=["geolocation"]) as page:
        await page.get_by_role("button", name="Di dekat saya").click()
        await expect(page.get_by_role("heading", name="Yang dibutuhkan di dekat sini")).to_be_visible()
        await expect(card(page, made)).to_contain_text("350 m dari titik ini")
        assert page.url.endswith("/?near=106.908,-6.158")


async def test_a_place_that_is_not_told_is_explained(chromium: Browser, city: CityProcess) -> None:
    async with visit(chromium, city, permissions=[]) as page:
        await page.get_by_role("button", name="Di dekat saya").click()
        await expect(page.locator("#near-said")).to_have_text("Lokasi tidak diizinkan. Pilih wilayah Anda saja.")


async def test_pausing_keeps_the_page_still_until_one_goes_on(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient
) -> None:
    sari = await person(api)
    async with visit(chromium, city) as page, visit(chromium, city) as other:
        await page.get_by_role("button", name="Jeda").click()
        await expect(page.locator("#state")).to_have_text("dijeda")
        made = await report(sari, title="Saat dijeda")
        await expect(card(other, made)).to_be_visible()
        await expect(page.get_by_text("Saat dijeda")).to_have_count(0)
        await page.get_by_role("button", name="Lanjutkan").click()
        await expect(card(page, made)).to_be_visible()
        await expect(page.locator("#log li").first).to_contain_text("Saat dijeda")


async def test_after_a_long_time_only_the_latest_events_are_told(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient
) -> None:
    sari = await person(api)
    async with visit(chromium, city) as page:
        await page.clock.install()
        await page.get_by_role("button", name="Jeda").click()
        await page.clock.fast_forward("02:00")
        made = [await report(sari, title=f"Sementara itu {number}") for number in range(25)]
        await see(api, "/api/events?after=-1", lambda it: it["items"][0]["subject"] == made[-1]["id"])
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        await page.get_by_role("button", name="Lanjutkan").click()
        await expect(page.locator("#log li").first).to_contain_text("Sementara itu 24")
        await expect(page.locator("#log li").last).to_contain_text("Sementara itu 5")
        await expect(card(page, made[-1])).to_be_visible()
        assert asked[:2] == ["/api/events", "/api/events/stream"]


async def test_a_lost_connection_is_said_and_mended(chromium: Browser, tmp_path: Path) -> None:
    with city_process(tmp_path) as own:
        async with visit(chromium, own, broken=True) as page, httpx.AsyncClient(base_url=own.url) as api:
            sari = await person(api)
            own.stop()
            await expect(page.locator("#state.again")).to_have_text("terputus, menyambung lagi …")
            await page.get_by_role("button", name="Cari").click()
            await expect(page.locator(".problem")).to_contain_text("Permintaan tidak dapat dimuat sekarang.")
            own.start()
            await expect(page.locator("#state.live")).to_be_visible()
            made = await report(sari, title="Setelah tersambung lagi")
            await expect(card(page, made)).to_be_visible()


async def test_without_javascript_links_and_forms_do_it(
    chromium: Browser, city: CityProcess, api: httpx.AsyncClient
) -> None:
    sari = await person(api)
    made = await report(sari, title="Tanpa skrip", location=KEBAYORAN)
    async with visit(chromium, city, java_script_enabled=False) as page:
        await expect(page.get_by_role("button", name="Di dekat saya")).to_be_hidden()
        await page.get_by_label("Cari", exact=True).fill("tanpa skrip")
        await page.get_by_label("Kota", exact=True).select_option("Jakarta Selatan")
        await page.get_by_role("button", name="Cari").click()
        await expect(page.get_by_role("heading", name="Yang dibutuhkan di Jakarta Selatan")).to_be_visible()
        await expect(card(page, made)).to_be_visible()
        await expect(page.locator("#log li").first).to_be_visible()
        await page.get_by_role("link", name="English").click()
        await expect(page.locator(".card.request")).to_have_count(1)


async def test_the_keyboard_reaches_the_requests_at_once(chromium: Browser, city: CityProcess) -> None:
    async with visit(chromium, city) as page:
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Langsung ke permintaan")
        await expect(skip).to_be_focused()
        box = await skip.bounding_box()
        assert box is not None
        assert box["width"] > 100
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.get_by_label("Cari", exact=True)).to_be_focused()


async def test_the_reference_draws_every_call(chromium: Browser, city: CityProcess) -> None:
    async with visit(chromium, city, "/docs") as page:
        await expect(page.locator(".opblock-summary-path", has_text="/api/requests").first).to_be_visible()
        await page.locator(".opblock-post", has_text="/api/pledges").first.get_by_role("button").first.click()
        await expect(page.get_by_text("request_id").first).to_be_visible()
