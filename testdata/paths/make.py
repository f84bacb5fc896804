#!/usr/bin/env python3
"""Makes the path corpora of this directory: NAME.paths, a path a line, and NAME.expected, template and calls a line.

What must come out is written down here by hand, for each kind of path beside how such paths are made: it is not what
h2lens says. Run it in this directory; it makes the same files every time.
"""
import random
import uuid

WORDS = ("amber basil cedar dune ember fern grove heath iris jade kelp lark maple north ocean pine quartz reed sage thyme"
         " umber vale willow yarrow zephyr").split()


def word(dice, parts=3):
    """A name without a digit, of about 25 ** parts."""
    return "-".join(dice.choice(WORDS) for _ in range(parts))


def write(name, dice, groups):
    """groups: (template that must come out, paths)."""
    paths = [path for _, some in groups for path in some]
    dice.shuffle(paths)
    expected = {}
    for template, some in groups:
        if some:
            expected[template] = expected.get(template, 0) + len(some)
    with open(f"{name}.paths", "w") as file:
        file.writelines(f"{path}\n" for path in paths)
    with open(f"{name}.expected", "w") as file:
        file.writelines(f"{template} {calls}\n" for template, calls in sorted(expected.items()))


def names(dice, count, parts=3):
    some = set()
    while len(some) < count:
        some.add(word(dice, parts))
    return sorted(some)


def users(dice):
    """A name beside numbers: few names stay, the numbers are one."""
    write("users", dice, [
        ("/users/{int}", [f"/users/{dice.randrange(10**6)}" for _ in range(60)]),
        ("/users/alice", ["/users/alice"] * 9),
        ("/users/me", ["/users/me"] * 5),
        ("/users/{int}/orders", [f"/users/{dice.randrange(10**6)}/orders" for _ in range(20)]),
        ("/users/{int}/", [f"/users/{dice.randrange(10**6)}/" for _ in range(3)]),
        ("/users", ["/users"] * 4),
        ("/", ["/"] * 2),
    ])


def usernames(dice):
    """So many names that they are values; the numbers among them are names of users, too."""
    some = names(dice, 300)
    write("usernames", dice, [
        ("/users/{}", [f"/users/{name}" for name in some] + [f"/users/{n}" for n in range(20)]),
        ("/users/{}/settings", [f"/users/{name}/settings" for name in some[:100]]),
        ("/users/{}/avatar.png", [f"/users/{name}/avatar.png" for name in some[100:150]]),
        ("/health", ["/health"] * 30),
    ])


def dots(dice):
    """Dots in names are no values, file extensions stay."""
    write("dots", dice, [
        ("/api/hello.world", ["/api/hello.world"] * 12),
        ("/api/chat.postMessage", ["/api/chat.postMessage"] * 7),
        ("/api/users.list", ["/api/users.list"] * 3),
        ("/images/{int}.png", [f"/images/{n}.png" for n in range(100, 140)]),
        ("/images/{int}.jpg", [f"/images/{n}.jpg" for n in range(100, 120)]),
        ("/static/app.{hex}.js", ["/static/app.3f2a1b9c.js", "/static/app.00ff12aa.js"]),
        ("/backup/{date}.tar.gz", ["/backup/2026-11-20.tar.gz", "/backup/2026-11-21.tar.gz"]),
        ("/favicon.ico", ["/favicon.ico"]),
        ("/.well-known/openid-configuration", ["/.well-known/openid-configuration"] * 2),
    ])


def forge(dice):
    """Owners and repositories, as code forges have them: no two owners have the same repositories."""
    owners = names(dice, 240)
    repositories = [(owner, name) for owner in owners for name in names(dice, 3, 2)]
    pick = lambda count: dice.sample(repositories, count)
    write("forge", dice, [
        ("/{}/{}", [f"/{owner}/{name}" for owner, name in repositories]),
        ("/{}/{}/issues", [f"/{owner}/{name}/issues" for owner, name in repositories[::2]]),
        ("/{}/{}/issues/{int}", [f"/{o}/{r}/issues/{dice.randrange(9999)}" for o, r in pick(300)]),
        ("/{}/{}/pulls", [f"/{owner}/{name}/pulls" for owner, name in repositories[1::2]]),
        ("/{}/{}/commit/{hex}", [f"/{o}/{r}/commit/a1{dice.getrandbits(152):038x}" for o, r in pick(200)]),
        ("/{}/{}/releases/v1.2", [f"/{o}/{r}/releases/v1.2" for o, r in pick(100)]),
    ])


def shop(dice):
    """18,000 different paths: 40 departments of 45 shelves of 10 things, few alike. Departments must stay names."""
    departments = names(dice, 40, 2)
    groups = []
    for department in departments:
        shelves = names(dice, 45, 2)
        groups.append((f"/{department}/{{}}/{{}}",
                       [f"/{department}/{shelf}/{thing}" for shelf in shelves for thing in names(dice, 10)]))
    write("shop", dice, groups)


def rest(dice):
    """Fifty resources of a REST service, all with the same verbs: they are names."""
    things = names(dice, 50, 2)
    groups = []
    for thing in things:
        groups += [(f"/api/v1/{thing}", [f"/api/v1/{thing}"] * 4),
                   (f"/api/v1/{thing}/{{int}}", [f"/api/v1/{thing}/{n}" for n in range(5)]),
                   (f"/api/v1/{thing}/new", [f"/api/v1/{thing}/new"]),
                   (f"/api/v1/{thing}/{{int}}/edit", [f"/api/v1/{thing}/{n}/edit" for n in range(2)])]
    write("rest", dice, groups)


def kinds(dice):
    """Values that are known by their looks."""
    write("kinds", dice, [
        ("/objects/{uuid}", [f"/objects/{uuid.UUID(int=dice.getrandbits(128))}" for _ in range(40)]),
        ("/objects/{uuid}/parts/{int}", [f"/objects/{uuid.UUID(int=dice.getrandbits(128))}/parts/{n}" for n in range(9)]),
        ("/blobs/{hex}", [f"/blobs/c0ffee{dice.getrandbits(136):034x}" for _ in range(30)]),
        ("/days/{date}", [f"/days/2026-{month:02}-{day:02}" for month in (1, 12) for day in range(1, 29)]),
        ("/days/{date}/hours/{int}", ["/days/2026-11-22/hours/7"]),
        ("/mail/{email}", [f"/mail/{name}@mail.example" for name in names(dice, 20)]
         + [f"/mail/{name}%40mail.example" for name in names(dice, 20)]),
        ("/hosts/{ip}", [f"/hosts/10.0.{n}.1" for n in range(30)] + ["/hosts/2001:db8::7", "/hosts/2001%3Adb8%3A%3A8"]),
        ("/tokens/{base64}", ["/tokens/dGhpcyBpcyBhIHRlc3Q0", "/tokens/V1StGXR8_Z5jdHi6B-myT",
            "/tokens/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"]),
        ("/words/deadbeef", ["/words/deadbeef"]),
        ("/words/facade", ["/words/facade"]),
        ("/words/INTERNATIONALIZATION", ["/words/INTERNATIONALIZATION"]),
        ("/words/How-To-Install-Windows-11-On-A-Mac", ["/words/How-To-Install-Windows-11-On-A-Mac"]),
    ])


def locales(dice):
    """Languages are names, short hexadecimal words too; pages below them are."""
    groups = []
    for locale in ["de", "fr", "en-US", "pt-BR", "zh-Hant-TW", "fa", "be", "ca"]:
        groups += [(f"/{locale}/docs", [f"/{locale}/docs"] * 3),
                   (f"/{locale}/docs/install", [f"/{locale}/docs/install"] * 2),
                   (f"/{locale}", [f"/{locale}"])]
    write("locales", dice, groups)


def matrix(dice):
    """Matrix parameters are no part of the endpoint, as the query is not."""
    write("matrix", dice, [
        ("/cars", [f"/cars;color={color};year={year}" for color in WORDS[:10] for year in (2024, 2025)] + ["/cars"]),
        ("/cars/{int}/parts", [f"/cars;v={n}/{n};x/parts;a=b;c" for n in range(15)]),
        ("/login", [f"/login;jsessionid={dice.getrandbits(64):016X}" for _ in range(10)]),
    ])


def encoding(dice):
    """One path has many spellings; an encoded slash is none."""
    write("encoding", dice, [
        ("/~alice/a%2Fb", ["/~alice/a%2Fb", "/%7Ealice/a%2fb", "/%7ealice/%61%2Fb"]),
        ("/caf%C3%A9", ["/caf%C3%A9", "/caf%c3%a9", "/café"]),
        ("/items/{int}", ["/items/7", "/items/%37", "/items/%31%32"]),
        ("/100%25", ["/100%", "/100%25"]),
        ("/%7Bid%7D", ["/{id}", "/%7bid%7D"]),
        ("/a%20b", ["/a b", "/a%20b"]),
    ])


def versions(dice):
    """Versions stay however many there are."""
    groups = []
    for number in range(1, 31):
        groups.append((f"/v{number}/users/{{int}}", [f"/v{number}/users/{n}" for n in range(3)]))
    groups += [("/v1beta1/users", ["/v1beta1/users"]), ("/v2.1/users", ["/v2.1/users"] * 2)]
    write("versions", dice, groups)


def numbered(dice):
    """Names with digits in them are values already when there are few more than eight; words among them are not."""
    write("numbered", dice, [
        ("/orders/{}", [f"/orders/ord-{n:06}" for n in range(20)]),
        ("/orders/{}/lines/{int}", [f"/orders/ord-{n:06}/lines/{n}" for n in range(12)]),
        ("/orders/search", ["/orders/search"] * 8),
        ("/hosts/web-1", ["/hosts/web-1"] * 3),
        ("/hosts/web-2", ["/hosts/web-2"] * 3),
        ("/cloud/s3", ["/cloud/s3"]),
        ("/cloud/ec2", ["/cloud/ec2"]),
        ("/assets/{}.css", [f"/assets/theme{n}.css" for n in range(12)]),
        ("/assets/{}.js", [f"/assets/chunk{n}.js" for n in range(12)]),
        ("/assets/main.js", ["/assets/main.js"]),
    ])


def blog(dice):
    """Titles below dates, and the pages that every such place has."""
    titles = names(dice, 400, 4)
    write("blog", dice, [
        ("/blog/{int}/{int}/{}", [f"/blog/{2020 + n % 6}/{1 + n % 12:02}/{title}" for n, title in enumerate(titles)]),
        ("/blog/{int}/{int}", [f"/blog/{year}/{month:02}" for year in (2024, 2025) for month in range(1, 13)]),
        ("/blog/feed.xml", ["/blog/feed.xml"] * 40),
        ("/blog/tags/{}", [f"/blog/tags/{tag}" for tag in names(dice, 120, 2)]),
        ("/about", ["/about"] * 6),
    ])


if __name__ == "__main__":
    for make in [users, usernames, dots, forge, shop, rest, kinds, locales, matrix, encoding, versions, numbered, blog]:
        make(random.Random(make.__name__))
