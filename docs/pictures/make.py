#!/usr/bin/env python3
"""The pictures of README.md, from captures in testdata/.

Usage: make.py H2LENS            makes them; the report's needs Chromium
       make.py H2LENS --check    says whether they are what the program shows now; exit status 1 where they are not

`table.svg` and `window.svg` are drawn from what the program writes on a terminal, cell by cell, so that they are the same on any
machine. `report.png` is a browser's picture: beside it stands the digest of the page without its data and script.
"""
import fcntl, hashlib, html, os, pathlib, pty, re, select, shutil, signal, struct, subprocess, sys, tempfile, termios, time

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / 'testdata'
CELL, LINE = 8.4, 18
COLORS = {31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 34: '#79c0ff', 35: '#d2a8ff', 36: '#56d4dd'}
INK, PAPER = '#c9d1d9', '#0d1117'
SEQUENCE = re.compile(r'\x1b\[([?>=]?)([\d;]*)([A-Za-z])|\x1b[78=>]')
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ('NO_COLOR', 'COLUMNS', 'SSLKEYLOGFILE')} | {'TZ': 'UTC', 'TERM': 'xterm-256color'}


class Screen:
    """A terminal of so many columns: what was written on it, cell by cell, with its style."""

    def __init__(self, columns):
        self.columns, self.cells, self.row, self.column, self.style = columns, {}, 0, 0, frozenset()

    def write(self, text):
        while text:
            sequence = SEQUENCE.match(text)
            if sequence:
                self.obey(*sequence.groups())
                text = text[sequence.end():]
                continue
            char, text = text[0], text[1:]
            if char == '\n':
                self.row, self.column = self.row + 1, 0
            elif char == '\r':
                self.column = 0
            elif char >= ' ':
                self.cells[self.row, self.column] = (char, self.style)
                self.column += 1

    def obey(self, private, numbers, command):
        numbers = [int(number or 0) for number in (numbers or '').split(';')]
        if command == 'H':
            self.row, self.column = max(numbers[0], 1) - 1, max(numbers[1] if len(numbers) > 1 else 1, 1) - 1
        elif command == 'J' and not private:
            self.cells.clear()
        elif command == 'm':
            self.restyle(numbers)

    def restyle(self, numbers):
        style = set(self.style)
        while numbers:
            number, *numbers = numbers
            if number == 0:
                style.clear()
            elif number in (1, 2, 7):
                style.add(number)
            elif number == 22:
                style -= {1, 2}
            elif number == 27:
                style.discard(7)
            elif 30 <= number <= 39:
                style -= set(range(30, 40))
                if number == 38 and numbers[:1] == [5]:
                    style.add(30 + numbers[1] % 8)
                    numbers = numbers[2:]
                elif number < 38:
                    style.add(number)
            elif number == 48:
                numbers = numbers[2:]
        self.style = frozenset(style)

    def lines(self):
        rows = max((row for row, _ in self.cells), default=0)
        return [[self.cells.get((row, column), (' ', frozenset())) for column in range(self.columns)] for row in range(rows + 1)]

    def svg(self, title):
        lines = self.lines()
        width, height = self.columns * CELL + 24, len(lines) * LINE + 20
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}" role="img">',
               f'<title>{html.escape(title)}</title>', f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
               f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14" fill="{INK}">']
        for row, line in enumerate(lines):
            at = 0
            while at < len(line):
                end = at + 1
                while end < len(line) and line[end][1] == line[at][1]:
                    end += 1
                self.run(out, row, at, ''.join(char for char, _ in line[at:end]), line[at][1])
                at = end
        return '\n'.join(out + ['</g>', '</svg>', ''])

    @staticmethod
    def run(out, row, column, text, style):
        """Cells of one style: as wide as they are on a terminal, whatever the font. Blanks within stay as many as they are."""
        ink, y = next((COLORS[number] for number in style if number in COLORS), INK), row * LINE + 10
        if 7 in style:
            out.append(f'<rect x="{12 + column * CELL:.1f}" y="{y}" width="{len(text) * CELL:.1f}" height="{LINE}" fill="{ink}"/>')
            ink = PAPER
        stripped = text.rstrip()
        if not stripped.strip():
            return
        start = len(stripped) - len(stripped.lstrip())
        stripped = stripped.lstrip()
        attributes = f' fill="{ink}"' if ink != INK else ''
        attributes += ' font-weight="bold"' if 1 in style else ''
        attributes += ' opacity="0.6"' if 2 in style else ''
        out.append(f'<text x="{12 + (column + start) * CELL:.1f}" y="{y + 13}" textLength="{len(stripped) * CELL:.1f}"{attributes}>{html.escape(stripped).replace(chr(32), chr(160))}</text>')


def table(exe):
    command = [exe, 'slow.pcap', '-o', 'table', '--color', 'always', '--show', 'transactions']
    text = subprocess.run(command, cwd=DATA, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout
    width = max(len(SEQUENCE.sub('', line)) for line in text.split('\n'))
    screen = Screen(width)
    screen.write('$ h2lens slow.pcap --show transactions\n' + text.rstrip('\n'))
    return screen.svg('Calls as a table: their status, where their time went, why they failed')


def window(exe, columns=110, rows=14):
    """What --tui shows when the capture is read, with the calls on top."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(DATA)
        time.sleep(0.2)  # until the size is set
        os.execve(exe, [exe, 'slow.pcap', '--tui'], ENVIRONMENT)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    screen, rest, typed, begun = Screen(columns), b'', False, time.monotonic()
    while time.monotonic() - begun < 30:
        ready, _, _ = select.select([terminal], [], [], 1.5 if typed else 0.2)
        if ready:
            rest += os.read(terminal, 65536)
            whole = rest.decode('utf-8', 'ignore')
            # A sequence may have been cut.
            if re.search(r'\x1b[^A-Za-z]*$', whole) or whole.encode() != rest:
                continue
            screen.write(whole)
            rest = b''
        shown = '\n'.join(''.join(char for char, _ in line) for line in screen.lines())
        if not typed and 'read to the end' in shown:
            os.write(terminal, b'2')
            typed = True
        elif typed and not ready:
            break
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    return screen.svg('The window of --tui: calls as they end')


def page(exe):
    command = [exe, 'slow.pcap', '-o', 'html']
    return subprocess.run(command, cwd=DATA, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout


def digest(text):
    """Of what a reader sees of it first: markup and style."""
    text = re.sub(r'h2lens \d[^"<]*', 'h2lens', text.split('<script', 1)[0])
    text = re.sub(r'<meta http-equiv[^>]*>', '', text)
    return hashlib.sha256(text.encode()).hexdigest() + '\n'


def picture(text, path):
    chromium = next((found for name in ('chromium', 'chromium-browser', 'google-chrome') if (found := shutil.which(name))), None)
    if not chromium:
        sys.exit('there is no Chromium for the picture of the report')
    with tempfile.TemporaryDirectory() as work:
        file = pathlib.Path(work, 'report.html')
        file.write_text(text)
        subprocess.run([chromium, '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--hide-scrollbars',
                        '--window-size=1200,760', f'--user-data-dir={work}/profile', f'--screenshot={path}', file.as_uri()],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def main():
    exe, check = os.path.abspath(sys.argv[1]), '--check' in sys.argv[2:]
    report = page(exe)
    made = {'table.svg': table(exe), 'window.svg': window(exe), 'report.sha256': digest(report)}
    stale = [name for name, text in made.items() if not (HERE / name).exists() or (HERE / name).read_text() != text]
    if check:
        for name in stale:
            print(f'docs/pictures/{name} is not what h2lens shows now: run docs/pictures/make.py')
        sys.exit(bool(stale))
    for name, text in made.items():
        (HERE / name).write_text(text)
    picture(report, HERE / 'report.png')


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    main()
