"""The parts that names of the demo's crowd are made of, the commonest first: (as written, as in an e-mail address)."""

from typing import Final

import msgspec

from hellojohn_server.kit.text import fold

_PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "đ": "d", "æ": "ae", " ": "", "'": ""}
)


class Naming(msgspec.Struct, frozen=True):
    """How people of one script are called: how many in a thousand they are, and their names.

    `joint` stands between the two names; `family_first` says which comes first.
    """

    weight: int
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    joint: str = " "
    family_first: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _latin(text: str) -> tuple[tuple[str, str], ...]:
    words = (word.replace("_", " ") for word in text.split())
    return tuple((word, fold(word).translate(_PLAIN)) for word in words)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    written_and_plain = text.split()
    return tuple(zip(written_and_plain[::2], written_and_plain[1::2], strict=True))


_ENGLISH_GIVEN: Final = _latin(
    "James Mary John Patricia Robert Jennifer Michael Linda David Elizabeth William Barbara Richard "
    "Susan Joseph Jessica Thomas Karen Charles Sarah Christopher Lisa Daniel Nancy Matthew Sandra "
    "Anthony Ashley Mark Emily Donald Kimberly Steven Margaret Andrew Donna Paul Michelle Joshua "
    "Carol Kenneth Amanda Kevin Melissa Brian Deborah George Stephanie Timothy Rebecca Ronald Laura "
    "Jason Helen Edward Sharon Jeffrey Cynthia Ryan Kathleen Jacob Amy Gary Angela Nicholas Shirley "
    "Eric Brenda Jonathan Emma Stephen Anna Larry Pamela Justin Nicole Scott Samantha Brandon "
    "Katherine Benjamin Christine Samuel Ruth Gregory Rachel Alexander Carolyn Patrick Janet Frank "
    "Virginia Raymond Maria Jack Heather Dennis Diane Jerry Julie Tyler Joyce Aaron Victoria Jose "
    "Kelly Adam Christina Nathan Joan Henry Evelyn Zachary Lauren Douglas Judith Peter Olivia Kyle "
    "Frances Noah Martha Ethan Cheryl Jeremy Megan Walter Andrea Christian Hannah Keith Alice Ian Zoe "
    "Felix Ada Hugo Iris Otis Thelma Barnaby Winifred Ignatius Zelda Quentin Ursula"
)
_ENGLISH_FAMILY: Final = _latin(
    "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Lee "
    "Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Adams "
    "Nelson Baker Hall Campbell Mitchell Carter Roberts Turner Phillips Parker Evans Edwards Collins "
    "Stewart Morris Murphy Cook Rogers Morgan Cooper Peterson Bailey Reed Kelly Howard Cox Ward "
    "Richardson Watson Brooks Wood James Bennett Gray Hughes Price Myers Long Foster Sanders Ross "
    "Morales Powell Sullivan Russell Ortiz Jenkins Perry Butler Barnes Fisher Henderson Coleman "
    "Simmons Patterson Jordan Reynolds Hamilton Graham Wallace West Cole Hayes Bryant Herrera Gibson "
    "Ellis Tran Stevens Murray Ford Marshall Owens McDonald Harrison Kennedy Wells Alvarez Woods "
    "O'Brien Webb Washington Burns Crawford Olson Simpson Porter Hunter"
)
_STEMS: Final = _words(
    "Alder Amber Ash Barley Beck Birch Black Bram Bridge Brook Bur Cald Carn Chest Cran Crow Dal Dun "
    "Elder Ember Fair Fal Fern Fox Glen Gold Gren Hal Har Hawk Hazel Heath Hol Horn Iron Kel Kirk "
    "Lang Lark Lin Lock Mar Mead Mill Moss Nether North Oak Orch Pem Pine Quill Raven Red Rook Rose "
    "Row Rush Sax Sel Shel Silver Stan Stone Stor Sum Swan Tam Thorn Tren Ul Vale Wal War Wel Wex "
    "Whit Wil Win Wool Wych Yar Yew Zinn"
)
_ENDS: Final = _words(
    "acre bank beck born borough bottom bourne brook bury by combe cote croft dale den don fall fell "
    "field ford gate grave ham hurst land ley low man mere more ness over ridge shaw son stead stock "
    "stone thorpe ton tree wade ward water way well wick wood worth wright yard"
)

NAMINGS: Final[tuple[Naming, ...]] = (
    Naming(
        weight=560,
        given=_ENGLISH_GIVEN,
        family=(*_ENGLISH_FAMILY, *((f"{stem}{end}", f"{stem}{end}".lower()) for end in _ENDS for stem in _STEMS)),
    ),
    Naming(
        weight=150,
        given=_latin(
            "María José Carlos Ana Luis Carmen Juan Lucía Jorge Sofía Miguel Isabel Pedro Elena Andrés "
            "Valentina Diego Camila Raúl Ximena Joaquín Inés Álvaro Begoña Íñigo Núria João Beatriz Thiago "
            "Larissa Vinícius Conceição"
        ),
        family=_latin(
            "García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres Flores Gómez "
            "Díaz Cruz Reyes Silva Santos Oliveira Souza Pereira Muñoz Núñez Ibáñez Peña Castañeda Etxeberria "
            "Puigdemont Guimarães"
        ),
    ),
    Naming(
        weight=130,
        given=_latin(
            "Anna Jan Marie Thomas Katharina Lukas Sophie Jürgen Björn Günther Käthe Zoë François Hélène "
            "Benoît Élodie Søren Åsa Øyvind Ingrid Łukasz Zofia Jiří Štěpán Željko Zuzana Gülşen Çağlar "
            "Giulia Matteo Siobhán Padraig"
        ),
        family=_latin(
            "Müller Schmidt Schneider Fischer Weber Meyer Dubois Lefèvre Moreau Rossi Bianchi Ferrari Nowak "
            "Kowalski Svensson Nilsson Hansen Jørgensen Łukaszewicz Dvořák Novák Horvat Öztürk Jäger "
            "Groß Weiß Königsberger Ó_Ceallaigh Vandenberghe Çelik Žižek"
        ),
    ),
    Naming(
        weight=30,
        given=_pairs(
            "Иван ivan Анна anna Ольга olga Дмитрий dmitry Наталья natalya Сергей sergey Алёна alyona Пётр pyotr"
        ),
        family=_pairs(
            "Иванов ivanov Кузнецов kuznetsov Попов popov Соколов sokolov Елкин elkin Щербаков shcherbakov "
            "Чехлов chekhlov"
        ),
    ),
    Naming(
        weight=10,
        given=_pairs("Μαρία maria Γιώργος giorgos Ελένη eleni Δημήτρης dimitris Κατερίνα katerina"),
        family=_pairs("Παπαδόπουλος papadopoulos Νικολάου nikolaou Γεωργίου georgiou Αγγελόπουλος angelopoulos"),
    ),
    Naming(
        weight=25,
        given=_pairs("محمد mohammed فاطمة fatima أحمد ahmed ليلى layla يوسف yusuf كريم karim نور nour"),
        family=_pairs("الزهراوي zahrawi النجار najjar حداد haddad الجبلاوي jablawi الواحاتي wahati"),
    ),
    Naming(
        weight=7,
        given=_pairs("נועה noa דוד david יעל yael אורי uri תמר tamar"),
        family=_pairs("כהן cohen לוי levi תמרון tamron הדרית hadarit"),
    ),
    Naming(
        weight=30,
        given=_pairs("伟 wei 芳 fang 娜 na 秀英 xiuying 敏 min 静 jing 若溪 ruoxi 梓萱 zixuan 雨桐 yutong 星河 xinghe"),
        family=_pairs("王 wang 李 li 张 zhang 刘 liu 陈 chen 楊 yang 欧阳 ouyang 高 gao 林 lin"),
        joint="",
        family_first=True,
    ),
    Naming(
        weight=15,
        given=_pairs("陽翔 haruto さくら sakura 蓮 ren 凛 rin 葵 aoi みなと minato ナツミ natsumi"),
        family=_pairs("佐藤 sato 鈴木 suzuki 高橋 takahashi 青木 aoki 月島 tsukishima 小鳥遊 takanashi"),
        joint=" ",
        family_first=True,
    ),
    Naming(
        weight=15,
        given=_pairs("민준 minjun 서연 seoyeon 하늘 haneul 은솔 eunsol 가람 garam 다온 daon"),
        family=_pairs("김 kim 이 lee 박 park 최 choi 정 jung 남궁 namgung"),
        joint="",
        family_first=True,
    ),
    Naming(
        weight=20,
        given=_pairs("प्रिया priya आर्यन aryan कविता kavita रोहन rohan अदिति aditi तन्वी tanvi"),
        family=_pairs("शर्मा sharma पटेल patel सिंह singh कमलापुरी kamalapuri वनराजे vanraje"),
    ),
    Naming(
        weight=8,
        given=_pairs("สมชาย somchai มานพ manop รัตนา rattana ศุภชัย supachai อรทัย orathai"),
        family=_pairs("แสงดาวทอง saengdaothong ทะเลคราม thalekhram บัวบานเช้า buabanchao ไม้หอมดี maihomdee"),
    ),
)
"""Weights add up to a thousand."""

MAIL_DOMAINS: Final = (
    ("gmail.example", 410),
    ("outlook.example", 130),
    ("yahoo.example", 90),
    ("hotmail.example", 60),
    ("icloud.example", 50),
    ("proton.example", 20),
    ("aol.example", 12),
    ("gmx.example", 10),
    ("web.example", 8),
    ("zoho.example", 4),
    ("fastmail.example", 3),
    ("tuta.example", 1),
)
"""Where people have their addresses, with weights. None can be reached."""

COMPANY_HEADS: Final = _words(
    "Aurora Blauwal Northwind Kiteworks Meridian Copper Lumen Harbor Juniper Solstice Granite "
    "Bluebird Cobalt Evergreen Halcyon Ironbark Larkspur Mosaic Nimbus Osprey Palisade Quartz Redwood "
    "Sable Tamarind"
)
COMPANY_TAILS: Final = _words(
    "Foods Logistik Clinic Studio Boatyard Press Energy Textiles Systems Robotics Finance Travel "
    "Media Optics Farms Motors Homes Schools Labs Works"
)
"""25 times 20: the five hundred organizations."""
