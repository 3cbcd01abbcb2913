"""What happens in the demo city: invented people and organisations of Jakarta ask, give, report and work together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from services.demo_acts import ask, find, pledge, propose, receive, report, say, sponsor, support
from services.demo_people import Json, People, Somebody

_JAKARTA = timezone(timedelta(hours=7))


@dataclass(frozen=True)
class _Cast:
    """Who appears: residents, and organisations with an owner each."""

    residents: list[Somebody]
    shop: Somebody
    cooperative: Somebody
    kitchen: Somebody
    agency: Somebody
    neighbours: Somebody


async def tell(people: People, began: datetime) -> None:
    """The whole story. Every step may be repeated, so after an interruption it is told again from the beginning."""
    cast = await _cast(people)
    await _automatic_offer(cast)
    await _rice(cast)
    await _meals(cast)
    await _roof(cast)
    await _at_home(cast)
    await _for_children(cast)
    await _wheelchair(cast)
    await _street_light(cast)
    drain = await _drain(cast)
    await _other_reports(cast)
    await _communal_work(cast, began, drain)
    await _night_watch(cast, began)


async def _cast(people: People) -> _Cast:
    residents = [await people.person(f"Warga Contoh {number}") for number in range(1, 9)]

    async def organisation(number: int, name: str, kind: str, area: str) -> Somebody:
        owner = await people.person(f"Pengurus Contoh {number}")
        return await owner.founds(name, kind, area)

    return _Cast(
        residents,
        shop=await organisation(1, "Toko Beras Contoh", "company", "31"),
        cooperative=await organisation(2, "Koperasi Contoh", "company", "31"),
        kitchen=await organisation(3, "Dapur Umum Contoh", "community", "31.75"),
        agency=await organisation(4, "Dinas Contoh", "agency", "31"),
        neighbours=await organisation(5, "Pengurus RW Contoh", "community", "31.75.03.1001"),
    )


async def _automatic_offer(cast: _Cast) -> None:
    terms = {"unit": "kg", "budget": 500, "per_request_limit": 50, "categories": ["food"], "automatic": True}
    title = "Beras untuk dapur umum dan keluarga terdampak"
    await cast.shop.make("/api/offers", "offer-rice", title=title, publish=True, **terms)


async def _rice(cast: _Cast) -> None:
    """A need that many carry: an offer by itself, and neighbours, one of whom has brought a part."""
    author, first, second, cook, *_ = cast.residents
    title = "Beras untuk dapur umum RW 04"
    body = "Dapur umum memasak untuk 60 keluarga yang rumahnya terendam. Persediaan beras tinggal untuk dua hari."
    needs = ("Beras", 120, "kg"), ("Juru masak", 3, "person")
    asked = await ask(author, "rice", title, body, "food", (106.8631, -6.219), *needs)
    await pledge(first, "rice-first", asked, 20)
    brought = await pledge(second, "rice-second", asked, 10)
    await second.do(f"/api/pledges/{brought['id']}/deliver")
    helps = await propose(cook, "rice-cook", asked, need=1)
    await author.do(f"/api/requests/{asked['id']}/contributions/{helps['id']}/approve")
    await say(first, "rice-first", asked, "Saya antar sore ini setelah jam lima.")
    await say(author, "rice-author", asked, "Terima kasih. Dapurnya di balai warga, masuk dari gang sebelah masjid.")


async def _meals(cast: _Cast) -> None:
    """A need that an organisation chose to sponsor, and has brought."""
    title, body = "Nasi bungkus untuk pengungsi", "Sekitar 80 orang menginap di balai warga, banyak anak dan lansia."
    needs = ("Nasi bungkus", 80, "meal")
    asked = await ask(cast.residents[1], "meals", title, body, "food", (106.8671, -6.2352), needs)
    terms = {"title": "Nasi bungkus setiap hari", "unit": "meal", "budget": 300}
    offer = await cast.kitchen.make("/api/offers", "offer-meals", publish=True, **terms)
    held = await sponsor(cast.kitchen, "meals", offer, asked, 60)
    await cast.kitchen.do(f"/api/sponsorships/{held['id']}/deliver")


async def _roof(cast: _Cast) -> None:
    """A community asks for money; a company and a neighbour give some of it."""
    title = "Perbaikan atap musala yang bocor"
    body = "Atap bocor di tiga tempat. Bahannya dihitung Rp 3.000.000, pengerjaannya gotong royong."
    needs = ("Bahan atap", 3_000_000, "IDR")
    asked = await ask(cast.neighbours, "roof", title, body, "repair", (106.8627, -6.2181), needs)
    terms = {"title": "Dana perbaikan fasilitas warga", "unit": "IDR", "budget": 10_000_000}
    offer = await cast.cooperative.make(
        "/api/offers", "offer-money", publish=True, per_request_limit=2_000_000, **terms
    )
    await sponsor(cast.cooperative, "roof", offer, asked, 1_500_000)
    await pledge(cast.residents[4], "roof", asked, 200_000)


async def _at_home(cast: _Cast) -> None:
    """Help at a home: its place is blurred, and the requester decides who comes."""
    title = "Mengangkat perabot kembali setelah banjir surut"
    body = "Lemari, kulkas dan kasur perlu dipindah dari lantai dua. Kira-kira dua jam."
    needs = ("Tenaga angkat", 4, "person")
    asked = await ask(cast.residents[2], "furniture", title, body, "flood", (106.9052, -6.2488), needs)
    for number in (3, 4):
        comes = await propose(cast.residents[number], f"furniture-{number}", asked)
        await cast.residents[2].do(f"/api/requests/{asked['id']}/contributions/{comes['id']}/approve")
    await propose(cast.residents[5], "furniture-5", asked)
    title, body = "Teman untuk mengantar ibu kontrol", "Kontrol ke puskesmas Kamis pagi. Ibu memakai tongkat."
    needs = ("Pendamping", 1, "person")
    await ask(cast.residents[3], "clinic", title, body, "elderly", (106.8404, -6.2312), needs)


async def _for_children(cast: _Cast) -> None:
    """One pledge stands, another was taken back: its quantity is free again."""
    title, body = "Buku tulis untuk taman baca", "Taman baca anak kehabisan buku tulis dan pensil warna."
    needs = ("Buku tulis", 40, "piece"), ("Pensil warna", 10, "box")
    asked = await ask(cast.residents[4], "books", title, body, "education", (106.8007, -6.1221), *needs)
    await pledge(cast.residents[5], "books", asked, 25)
    withdrawn = await pledge(cast.residents[6], "pencils", asked, 5, need=1)
    await cast.residents[6].do(f"/api/pledges/{withdrawn['id']}/withdraw")


async def _wheelchair(cast: _Cast) -> None:
    """A story that came to its end: promised, brought, received, fulfilled."""
    author, helper = cast.residents[5], cast.residents[6]
    title, body = "Pinjam kursi roda selama dua minggu", "Untuk bapak yang baru pulang dari rumah sakit."
    needs = ("Kursi roda", 1, "piece")
    asked = await ask(author, "wheelchair", title, body, "disability", (106.7363, -6.1629), needs)
    promised = await pledge(helper, "wheelchair", asked, 1)
    await helper.do(f"/api/pledges/{promised['id']}/deliver")
    await receive(author, asked, promised)
    await say(author, "wheelchair", asked, "Sudah diterima. Terima kasih banyak, Bapak sudah bisa ke teras.")


async def _street_light(cast: _Cast) -> None:
    """An agency says that it is repaired, and who reported it confirms that."""
    author = cast.residents[6]
    title, body = "Lampu jalan padam di dekat sekolah", "Tiga lampu berturut-turut mati sejak Senin malam."
    told = await report(author, "light", title, body, "streetlight", (106.8482, -6.2806))
    await support(told, cast.residents[0], cast.residents[7])
    if (await find(author, told))["status"] == "open":
        await cast.agency.do(f"/api/requests/{told['id']}/resolve", note="Ketiga lampu sudah diganti.")
    await author.do(f"/api/requests/{told['id']}/confirm")


async def _drain(cast: _Cast) -> Json:
    """A report that many have too; work on it has begun."""
    title = "Saluran air tersumbat sampah"
    body = "Air meluap ke jalan setiap hujan lebih dari satu jam. Sampahnya menumpuk di bawah jembatan kecil."
    told = await report(cast.residents[0], "drain", title, body, "drainage", (106.8625, -6.2195))
    await support(told, *cast.residents[1:5])
    if (await find(cast.agency, told))["status"] == "open":
        await cast.agency.do(f"/api/requests/{told['id']}/progress")
    await say(cast.agency, "drain", told, "Petugas datang besok pagi. Kerja bakti warga hari Minggu sangat membantu.")
    return told


async def _other_reports(cast: _Cast) -> None:
    """Reports in other states: disputed, waiting for confirmation, and new."""
    author = cast.residents[7]
    title, body = "Jalan berlubang di depan pasar", "Lubangnya sekitar satu meter, sudah dua motor jatuh."
    hole = await report(author, "hole", title, body, "road", (106.8182, -6.2632))
    if (await find(author, hole))["status"] == "open":
        await cast.agency.do(f"/api/requests/{hole['id']}/resolve", note="Sudah ditambal.")
    await author.do(f"/api/requests/{hole['id']}/dispute", note="Tambalannya lepas lagi setelah hujan tadi malam.")
    title, body = "Pohon condong ke kabel listrik", "Dahannya sudah menyentuh kabel di tikungan."
    tree = await report(cast.residents[3], "tree", title, body, "tree", (106.7189, -6.1687))
    if (await find(author, tree))["status"] == "open":
        await cast.agency.do(f"/api/requests/{tree['id']}/resolve", note="Dahan sudah dipangkas.")
    title, body = "Sampah belum diangkut tiga hari", "Tumpukan di tempat penampungan sudah sampai ke jalan."
    waste = await report(cast.residents[2], "waste", title, body, "waste", (106.716, -6.1165))
    await support(waste, cast.residents[5])
    title, body = "Genangan 30 cm di kolong jalan layang", "Motor tidak bisa lewat, mobil kecil harus pelan."
    await report(cast.residents[1], "puddle", title, body, "flood", (106.8952, -6.1562))


async def _communal_work(cast: _Cast, began: datetime, drain: Json) -> None:
    """Next Sunday; there are more cooks than places, so one of them waits."""
    today = _morning(began)
    sunday = today + timedelta(days=(6 - today.weekday()) or 7)
    work = await cast.neighbours.make(
        "/api/activities",
        "drain",
        title="Kerja bakti membersihkan saluran RW 04",
        body="Bawa sarung tangan dan sepatu bot bila ada. Karung dan cangkul disediakan.",
        location={"lon": 106.8625, "lat": -6.2195},
        starts_at=(sunday + timedelta(hours=7)).isoformat(),
        ends_at=(sunday + timedelta(hours=11)).isoformat(),
        roles=[{"name": "Membersihkan saluran", "capacity": 15}, {"name": "Konsumsi", "capacity": 2}],
        request_id=drain["id"],
    )
    for number, person in enumerate(cast.residents):
        role = "Konsumsi" if number < 3 else "Membersihkan saluran"
        await person.do(f"/api/activities/{work['id']}/join", role=role)


async def _night_watch(cast: _Cast, began: datetime) -> None:
    """There are places left."""
    today = _morning(began)
    watch = await cast.residents[7].make(
        "/api/activities",
        "watch",
        title="Posko jaga malam musim hujan",
        body="Memantau tinggi air dan membangunkan warga bila perlu.",
        location={"lon": 106.867, "lat": -6.2354},
        starts_at=(today + timedelta(days=2, hours=21)).isoformat(),
        ends_at=(today + timedelta(days=3, hours=4)).isoformat(),
        roles=[{"name": "Jaga", "capacity": 4}],
    )
    for person in cast.residents[4:6]:
        await person.do(f"/api/activities/{watch['id']}/join", role="Jaga")


def _morning(began: datetime) -> datetime:
    """When the day on which the demo began did begin in Jakarta."""
    return began.astimezone(_JAKARTA).replace(hour=0, minute=0, second=0, microsecond=0)
