"""The page as it is first painted: its words, its filters, what it escapes, and what it lets a browser keep or load."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import get_args

import httpx
import pytest
from fastapi import Request

import shared.contracts
from services.city import SERVICES
from services.requests.domain.state import Status
from services.web.docs import README
from services.web.language import WORDS, Words, choose
from shared.areas import LEVELS
from shared.contracts.requests import Outcome, RequestKind
from shared.events import PREFIX, ActorKind, Event
from shared.text import UNITS
from tests.running import application, city_in_process, started
from tests.stories import ask_help, offer, organisation, person, pledge, report, see, see_status

KEBAYORAN = {"lon": 106.799, "lat": -6.244}
PRIOK = {"lon": 106.886, "lat": -6.129}
HOSTILE = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %} &lt;b&gt;",
    "مساعدة عاجلة لعائلة",
    "x" * 140,
    "👩🏽‍🚒🔥 kebakaran",
)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with city_in_process(tmp_path) as client:
        yield client


def public_events() -> Iterator[type[Event]]:
    for module in iter_modules(shared.contracts.__path__):
        events: tuple[type[Event], ...] = getattr(import_module(f"shared.contracts.{module.name}"), "EVENTS", ())
        yield from (event for event in events if event.visibility == "public")


def titles(page: httpx.Response) -> list[str]:
    found = re.findall(r'<li class="card request.*?<h3 dir="auto">(.*?)</h3>', page.text, re.DOTALL)
    return [unescape(title) for title in found]


async def painted(city: httpx.AsyncClient, address: str = "/", **query: str) -> httpx.Response:
    page = await city.get(address, params=query or None)
    assert page.status_code == 200
    return page


def test_both_languages_have_the_same_texts_with_the_same_holes() -> None:
    def holes(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text.rpartition("|")[2]))

    assert WORDS["id"].texts.keys() == WORDS["en"].texts.keys()
    for key, text in WORDS["id"].texts.items():
        assert text.strip(), key
        assert holes(text) == holes(WORDS["en"].texts[key]), key


@pytest.mark.parametrize("event", list(public_events()), ids=lambda event: event.type.removeprefix(PREFIX))
@pytest.mark.parametrize("words", list(WORDS.values()), ids=list(WORDS))
def test_every_public_event_has_a_sentence(event: type[Event], words: Words) -> None:
    name = event.type.removeprefix(PREFIX).rpartition(".")[0]
    variants = [
        get_args(event.model_fields[part].annotation) for part in ("kind", "outcome") if part in event.model_fields
    ]
    keys = [f"event.{name}.{variant}" for variant in variants[0]] if variants else [f"event.{name}"]

    assert [key for key in keys if key not in words] == []


def test_everything_that_the_contracts_name_has_a_word() -> None:
    named = {
        "kind": get_args(RequestKind),
        "status": [status for status in get_args(Status) if status != "absent"],
        "outcome": get_args(Outcome),
        "party": get_args(ActorKind),
        "who": get_args(ActorKind),
        "filter": LEVELS,
        "unit": UNITS,
    }

    keys = [f"{group}.{name}" for group, names in named.items() for name in names]

    assert [key for key in keys if key not in WORDS["id"]] == []


@pytest.mark.parametrize(
    ("quantity", "unit", "indonesian", "english"),
    [
        (1, "person", "1 orang", "1 person"),
        (1_250, "person", "1.250 orang", "1,250 people"),
        (40, "kg", "40 kg", "40 kg"),
        (2_000_000, "IDR", "Rp\u00a02.000.000", "Rp\u00a02,000,000"),
        (3, "furlong", "3 furlong", "3 furlong"),
    ],
)
def test_amounts_read_as_in_their_language(quantity: int, unit: str, indonesian: str, english: str) -> None:
    assert (WORDS["id"].amount(quantity, unit), WORDS["en"].amount(quantity, unit)) == (indonesian, english)


@pytest.mark.parametrize(
    ("seconds", "indonesian", "english"),
    [
        (0, "baru saja", "just now"),
        (50, "1 menit yang lalu", "1 minute ago"),
        (3_540, "59 menit yang lalu", "59 minutes ago"),
        (3_580, "1 jam yang lalu", "1 hour ago"),
        (86_400 * 3, "3 hari yang lalu", "3 days ago"),
        (86_400 * 40, "1 bulan yang lalu", "1 month ago"),
        (86_400 * 800, "2 tahun yang lalu", "2 years ago"),
        (-7_200, "dalam 2 jam", "in 2 hours"),
    ],
)
def test_times_read_as_in_their_language(seconds: int, indonesian: str, english: str) -> None:
    now = datetime(2026, 11, 25, 8, tzinfo=UTC)
    then = now - timedelta(seconds=seconds)

    assert (WORDS["id"].moment(then, now), WORDS["en"].moment(then, now)) == (indonesian, english)


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "language"),
    [
        ("", "", "", "id"),
        ("", "", "en-GB,en;q=0.9,id;q=0.8", "en"),
        ("", "", "fr, id;q=0.7, en;q=0.3", "id"),
        ("", "", "en;q=0.2, ID;q=0.3", "id"),
        ("", "", "en;q=0, in", "id"),
        ("", "", "en;q=much,;;,", "id"),
        ("", "lang=en", "id", "en"),
        ("lang=id", "lang=en", "en", "id"),
        ("lang=xx", "lang=<b>", "en", "en"),
    ],
)
def test_the_address_then_the_cookie_then_the_browser_choose_the_language(
    query: str, cookie: str, accepted: str, language: str
) -> None:
    headers = [(b"cookie", cookie.encode()), (b"accept-language", accepted.encode())]
    request = Request({"type": "http", "query_string": query.encode(), "headers": headers})

    assert choose(request, "id").language == language


async def test_a_page_says_in_which_language_it_is(city: httpx.AsyncClient) -> None:
    for address in ("/", "/docs"):
        page = await city.get(address, headers={"Accept-Language": "en"})
        assert '<html lang="en">' in page.text
        assert page.headers["Content-Language"] == "en"
        assert "Accept-Language" in page.headers["Vary"]


async def test_only_a_language_that_was_asked_for_is_remembered(city: httpx.AsyncClient) -> None:
    assert "set-cookie" not in (await painted(city)).headers
    cookie = (await painted(city, "/?lang=en")).headers["set-cookie"]

    assert cookie.startswith("lang=en;")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


async def test_pages_let_a_browser_load_nothing_foreign_and_run_nothing_inline(city: httpx.AsyncClient) -> None:
    for address in ("/", "/docs"):
        page = await painted(city, address)
        policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert "geolocation=(self)" in page.headers["Permissions-Policy"]
        assert not re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)|https?://", page.text)


async def test_a_file_is_kept_for_good_under_its_own_version_only(city: httpx.AsyncClient) -> None:
    page = await painted(city)
    addresses = set(re.findall(r'"(/static/[^"]+)"', page.text))
    assert len({address.split("/")[2] for address in addresses}) == 1

    for address in addresses:
        file = await city.get(address)
        assert file.status_code == 200
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        plain = await city.get(address, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert plain.content == file.content
    assert (await city.get("/static/0ld/look.css")).headers["Cache-Control"] == "no-store"
    for missing in ("none.css", "..%2Fpage.py", "words-xx.json", "words-.json"):
        assert (await city.get(f"/static/0ld/{missing}")).status_code == 404


async def test_the_whole_page_is_lighter_than_sixty_kilobytes(city: httpx.AsyncClient) -> None:
    sari = await person(city)
    for number in range(12):
        await ask_help(
            sari, ("Beras", 50, "kg"), ("Tenaga", 4, "person"), title=f"Bantuan warga {number}", body="x " * 40
        )
    page = await painted(city)
    files = set(re.findall(r'"(/static/[^"]+\.(?:js|css|json))"', page.text))
    weight = len(page.content) + sum([len((await city.get(file)).content) for file in files])

    assert weight < 60_000
    assert page.headers["Content-Encoding"] == "gzip"


class _Reader(HTMLParser):
    """Collects the tags and attribute names of a page, as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


async def test_what_people_write_stays_text(city: httpx.AsyncClient) -> None:
    sari = await person(city)
    for text in HOSTILE:
        shop = await organisation(city, "company", text[:60])
        await ask_help(sari, (text[:80], 5, "kg"), title=text, body=text)
        await offer(shop, "kg", 50, title=text)
    page = await painted(city)
    filtered = [await painted(city, "/", q=text, category=text, lang=text, near=text) for text in HOSTILE]

    assert titles(page) == list(HOSTILE)[::-1]
    for each in (page, *filtered):
        reader = _Reader()
        reader.feed(each.text)
        assert reader.tags.count("script") == 1
        assert "img" not in reader.tags
        assert not [name for name in reader.attributes if name.startswith("on")]
        assert not re.search(r">\s*49\b", each.text)


async def test_a_link_to_an_area_shows_what_is_needed_there(city: httpx.AsyncClient) -> None:
    sari = await person(city)
    await report(sari, title="Di selatan", location=KEBAYORAN)
    await report(sari, title="Di utara", location=PRIOK)

    assert titles(await painted(city)) == ["Di utara", "Di selatan"]
    south = await painted(city, "/?area=31.74")
    assert titles(south) == ["Di selatan"]
    assert "Yang dibutuhkan di Jakarta Selatan" in south.text
    assert re.findall(r'<select id="([\w-]+)"', south.text) == ["area-city", "area-district"]
    assert '<option value="31.74" selected>' in south.text
    # A form sends every level; what was left of another city no longer counts.
    assert titles(await painted(city, "/?q=&area=31.72&area=31.74.01&area=")) == ["Di utara"]
    assert len(titles(await painted(city, "/?area=&area=31.74.01"))) == 2


async def test_a_guessed_area_is_said_to_be_a_guess(city: httpx.AsyncClient) -> None:
    sari = await person(city)
    await report(sari, location=KEBAYORAN)
    await report(sari, location=None, area="31.74.06.1001")
    places = re.findall(r'<p class="place">(.*?)</p>', (await painted(city, "/?lang=en")).text)

    assert [place.startswith("around ") for place in places] == [False, True]


async def test_words_categories_and_places_filter_and_can_be_dropped_again(city: httpx.AsyncClient) -> None:
    sari = await person(city)
    await report(sari, title="Lampu padam", category="streetlight", location=KEBAYORAN)
    await report(sari, title="Pohon condong", category="tree", location=PRIOK)

    assert titles(await painted(city, "/?q=lampu")) == ["Lampu padam"]
    tree = await painted(city, "/?category=tree&q=pohon")
    assert titles(tree) == ["Pohon condong"]
    assert 'href="/?category=tree#needed" aria-label="Hapus saringan: pohon"' in tree.text
    near = await painted(city, "/?near=106.886,-6.130")
    assert titles(near) == ["Pohon condong"]
    assert re.search(r"<span>[0-9]+ m dari titik ini</span>", near.text)
    assert "Hapus saringan: dalam 3 km" in near.text


async def test_a_link_that_makes_no_sense_is_explained(city: httpx.AsyncClient) -> None:
    for filters in ("area=99", "near=here", "near=nan,1", "near=500,1", "after=xyz", "category=A%20B"):
        page = await painted(city, f"/?lang=en&{filters}")
        assert "This link holds a filter that is not known." in page.text, filters


async def test_nothing_found_and_nothing_there_are_told_apart(city: httpx.AsyncClient) -> None:
    assert "Permintaan baru akan muncul di sini" in (await painted(city)).text
    assert "Coba kata lain" in (await painted(city, "/?q=tidakada")).text


async def test_more_of_the_list_is_a_link(city: httpx.AsyncClient) -> None:
    sari = await person(city)
    for number in range(13):
        await report(sari, title=f"Laporan {number}", location=PRIOK)
    first = await painted(city, "/?area=31.72")
    (following,) = re.findall(r'<a id="more" class="button" href="([^"]+)"', first.text)
    second = await painted(city, unescape(following))

    assert titles(first) + titles(second) == [f"Laporan {number}" for number in range(12, -1, -1)]
    assert 'id="more"' not in second.text


async def test_a_need_says_who_carries_it_and_what_is_missing(city: httpx.AsyncClient) -> None:
    sari, mosque = await person(city), await organisation(city, "community")
    asked = await ask_help(sari, ("Beras", 50, "kg"))
    promised = await pledge(mosque, asked, 20)
    await see_status(city, f"/api/pledges/{promised['id']}", "accepted")
    card = (await city.get(f"/parts/requests/{asked['id']}?lang=en")).text

    assert "30 of 50 kg missing" in card
    assert '<rect class="reserved" x="0.0%" width="40.0%"/>' in card
    assert "promised 20 kg" in card
    assert "Carried by 1 community" in card
    assert 'class="person community"' in card


async def test_published_offers_say_what_is_left_of_them(city: httpx.AsyncClient) -> None:
    shop = await organisation(city, "company", "Toko Beras")
    made = await offer(shop, "IDR", 5_000_000, title="Dana obat", categories=["health"], areas=["31.74"])
    await offer(shop, "kg", 10, title="Belum dibuka", publish=False)
    page = (await painted(city)).text

    assert "tersedia Rp\u00a05.000.000" in page
    assert "dari Toko Beras" in page
    assert "Belum dibuka" not in page.partition('id="offer-cards"')[2]
    assert (await city.get(f"/parts/offers/{made['id']}")).text.count('<li class="card offer') == 1


async def test_what_happened_last_is_told_first(city: httpx.AsyncClient) -> None:
    sari, budi = await person(city, "Sari"), await person(city, "Budi")
    asked = await ask_help(sari, ("Beras", 50, "kg"), title="Dapur umum")
    promised = await pledge(budi, asked, 20)
    await see_status(city, f"/api/pledges/{promised['id']}", "accepted")
    await see(city, "/api/events", lambda it: len(it["items"]) >= 4)
    page = await painted(city, "/?lang=en")
    log = page.text.partition('<ol id="log"')[2].partition("</ol>")[0]
    told = [re.sub(r"<[^>]+>", "", line) for line in re.findall(r"<p>(.*?)</p>", log)]

    assert told[::-1][:3] == [
        "A resident asks for help: Dapur umum",
        "A resident pledges 20 kg for Dapur umum",
        "20 kg reserved for Dapur umum",
    ]
    assert "Sari" not in log
    # What followed from the pledge hangs together with it.
    assert log.count('class="event same"') == 2
    assert re.search(r'data-position="[1-9]\d*"', page.text)


async def test_a_service_that_is_not_there_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    some = [service for name, service in SERVICES.items() if name != "requests"]
    async with started(application(tmp_path, services=some)) as city:
        page = await painted(city, "/?lang=en")

    assert "The requests cannot be loaded now." in page.text
    assert "No offers yet." in page.text


async def test_what_does_not_exist_has_no_card(city: httpx.AsyncClient) -> None:
    for address in ("/parts/requests/", "/parts/offers/"):
        assert (await city.get(address + "01890a5d-ac96-774b-bcce-b302099a8057")).status_code == 404
        assert (await city.get(address + "x")).status_code == 422


async def test_the_reference_is_served_from_here(city: httpx.AsyncClient) -> None:
    page = await painted(city, "/docs")

    assert 'data-document="/openapi.json"' in page.text
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        assert (await city.get(address)).status_code == 200
    assert (await city.head("/")).status_code == 200


async def test_the_readme_is_there_to_be_read_as_it_is(city: httpx.AsyncClient) -> None:
    page = await painted(city)
    readme = await city.get("/readme")

    assert ('href="/readme"' in page.text) == README.is_file()
    assert readme.status_code == (200 if README.is_file() else 404)
    assert not readme.headers["Content-Type"].startswith("text/html")
