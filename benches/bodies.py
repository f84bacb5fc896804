#!/usr/bin/env python3
"""What looking into bodies costs those who do not ask for it: the share of instructions, without --body, that are of src/body or of
lines elsewhere that name bodies, inlined ones too. Exit status 1 if it is over 1 %.

Usage: bodies.py H2LENS CAPTURE [OPTION …]     (needs valgrind; a build with line tables, as releases are)
"""
import os, re, subprocess, sys, tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BAR = 0.01
NAMES = re.compile(r"\bbodies\b|\bbody::|\bbody_memory\b", re.IGNORECASE)


def lines_with_bodies(path):
    """The numbers of a source file's lines that name bodies."""
    with open(path, encoding="utf-8") as source:
        return {number for number, line in enumerate(source, 1) if NAMES.search(line.split("//")[0])}


def costs(profile):
    """(file, line, instructions) of each position; what a call costs is with the called."""
    names, file, line, of_call = {}, None, 0, False
    for text in profile:
        if match := re.match(r"(fl|fi|fe)=\((\d+)\)(?: (.*))?", text):
            file = names.setdefault(match[2], match[3] or "")
        elif text.startswith("calls="):
            of_call = True
        elif match := re.match(r"([+*-]?)(\d*) ?(\d*)$", text.strip()):
            sign, number, count = match.groups()
            if sign or number:
                line = {"+": lambda: line + int(number), "-": lambda: line - int(number), "*": lambda: line, "": lambda: int(number)}[sign]()
                if not of_call:
                    yield file, line, int(count or 0)
                of_call = False


def main():
    exe, capture, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "profile")
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, exe, capture, "--threads", "1"]
        command += options or ["--show", "transactions,telemetry", "--json"]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
        whole, found, marked = 0, {}, {}
        with open(out, encoding="utf-8", errors="replace") as profile:
            for file, line, count in costs(profile):
                whole += count
                at = (file or "").rfind("src/")
                path = os.path.join(ROOT, file[at:]) if at >= 0 else ""
                if path not in marked:
                    own = os.path.isfile(path) and "/.cargo/" not in file
                    marked[path] = lines_with_bodies(path) if own else set()
                if line in marked[path] or file[at:].startswith("src/body/"):
                    found[file[at:]] = found.get(file[at:], 0) + count
    for file, count in sorted(found.items(), key=lambda entry: -entry[1])[:10]:
        print(f"{count:14,}  {file}")
    share = sum(found.values()) / whole
    print(f"{sum(found.values()):14,}  of {whole:,}: {share:.3%}")
    sys.exit(share > BAR)


main()
