#!/usr/bin/env python3
"""The report and HAR in a real browser: Chromium without a window, driven through its pipe (Chrome DevTools Protocol).

Usage: browser.py H2LENS [CHROMIUM]     exit status 0 where all holds, 77 where there is no Chromium

One report is on calls with hostile values, one on 50,000 of 60,000 calls, one on calls that were slow for different reasons, with its
waterfall. None asks for anything, says anything on the console, or lets a value run. The HAR file of the first is imported by the network
panel of the developer tools.
"""
import json, os, pathlib, shutil, struct, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'testdata'))
import made_up

FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
         '--remote-debugging-pipe', '--window-size=1440,900']
HOSTILE = [b'</script><script>window.ran=1</script>', b'"><img src=x onerror=window.ran=2>', b'javascript:window.ran=3', b"';window.ran=4;'", b'{{7*7}}${window.ran=5}',
           b'<!--', b'\xe2\x80\xae\x1b[2J']
OPENS_SECONDS = 2.0


class Browser:
    """A page in Chromium."""

    def __init__(self, chromium, profile):
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # It reads from its descriptor 3 and writes to 4.
        script = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(['/bin/bash', '-c', script, 'sh', chromium, *FLAGS, f'--user-data-dir={profile}', 'about:blank'],
                                        pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in), os.close(theirs_out)
        self.out, self.into, self.rest, self.number, self.session = ours_out, ours_in, b'', 0, None
        self.said, self.asked = [], []
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in 'Page', 'Runtime', 'Log', 'Network':
            self.call(f'{domain}.enable')

    def call(self, method, **parameters):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': parameters} | ({'sessionId': self.session} if self.session else {})
        os.write(self.out, json.dumps(message).encode() + b'\0')
        while True:
            answer = self.read()
            if answer.get('id') == self.number:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]}')
                return answer['result']

    def read(self):
        while b'\0' not in self.rest:
            piece = os.read(self.into, 1 << 20)
            if not piece:
                raise RuntimeError('Chromium has ended')
            self.rest += piece
        message, self.rest = self.rest.split(b'\0', 1)
        message = json.loads(message)
        method, parameters = message.get('method'), message.get('params', {})
        if method == 'Runtime.exceptionThrown':
            self.said.append(parameters['exceptionDetails'].get('text', '') + str(parameters['exceptionDetails'].get('exception', {}).get('description')))
        elif method == 'Runtime.consoleAPICalled' and parameters['type'] in ('error', 'warning'):
            self.said.append(str(parameters['args']))
        elif method == 'Log.entryAdded':
            self.said.append(parameters['entry']['text'])
        elif method == 'Network.requestWillBeSent':
            self.asked.append(parameters['request']['url'])
        return message

    def open(self, url):
        """Loads a page; how long until its first picture."""
        start = time.monotonic()
        self.call('Page.navigate', url=url)
        while self.eval('document.readyState + location.protocol') != 'complete' + url.split('/')[0]:
            time.sleep(0.01)
        self.eval('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))')
        return time.monotonic() - start

    def eval(self, expression):
        result = self.call('Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(f'{expression}: {result["exceptionDetails"]}')
        return result['result'].get('value')

    def filter(self, words):
        """Types into the box; how many calls are left."""
        return self.eval(f'''(() => {{ const box = document.querySelector('[data-h2lens=filter]'); box.value = {json.dumps(words)};
          box.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true }}));
          return Number(document.querySelector('[data-h2lens=count]').textContent) }})()''')

    def close(self):
        self.process.terminate()
        self.process.wait()


def literal(name, value):
    """A field that is not indexed, as HPACK spells it out (RFC 7541 section 6.2.2)."""
    def length(text):
        return bytes([len(text)]) if len(text) < 127 else bytes([127]) + varint(len(text) - 127)
    return b'\0' + length(name) + name + length(value) + value


def varint(number):
    out = b''
    while number >= 128:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def capture(path, calls):
    """A connection with these calls: their request's fields, and their status."""
    out = made_up.Capture(path, (b'\x0a\0\0\1', b'\x0a\0\0\2'))
    out.packet(True, 2), out.packet(False, 18), out.packet(True, 16)
    out.packet(True, 24, made_up.PREFACE + made_up.frame(4, 0, 0)), out.packet(False, 24, made_up.frame(4, 0, 0))
    for stream, (fields, status) in zip(range(1, 1 << 31, 2), calls):
        block = b''.join(literal(*field) for field in fields)
        out.packet(True, 24, made_up.frame(1, made_up.ENDS | made_up.WHOLE, stream, block))
        out.packet(False, 24, made_up.frame(1, made_up.ENDS | made_up.WHOLE, stream, literal(b':status', status)))
    out.out.close()


def request(path, *more):
    return [(b':method', b'GET'), (b':scheme', b'http'), (b':authority', b'example.test'), (b':path', path), *more]


def report(exe, work, name, calls, *options):
    capture(work / f'{name}.pcap', calls)
    with open(work / f'{name}.html', 'wb') as out:
        subprocess.run([exe, work / f'{name}.pcap', '-o', 'html', *options], check=True, stdout=out)
    return work / f'{name}.html'


def same(what, got, wanted):
    if got != wanted:
        raise AssertionError(f'{what}: {got!r}, not {wanted!r}')
    print(f'  {what}: {got}')


SORTED = '''(() => { const table = document.querySelector('[data-h2lens=endpoints]'), head = [...table.tHead.rows[0].cells].find(cell => cell.textContent === 'Calls');
  head.querySelector('button').click(); const order = () => [...table.tBodies[0].rows].map(row => Number(row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent));
  const first = order(), one = head.getAttribute('aria-sort'); head.querySelector('button').click(); return [one, first, head.getAttribute('aria-sort'), order()] })()'''


def hostile(browser, exe, work):
    print('hostile values')
    calls = [(request(b'/' + value, (b'x-value', value), (b'user-agent', value)), b'500' if index % 2 else b'200') for index, value in enumerate(HOSTILE)]
    calls += [(request(b'/plain'), b'404')] * 3
    browser.open(report(exe, work, 'hostile', calls, '-H').as_uri())
    same('rows', browser.eval("document.querySelector('[data-h2lens=calls]').getAttribute('aria-rowcount') - 1"), len(calls))
    for index in range(len(calls)):
        browser.eval(f"document.querySelectorAll('[data-h2lens=calls] tbody tr')[{index}].click()")
    shown = browser.eval("(() => { const panel = document.querySelector('[data-h2lens=detail]'); return !panel.hidden && panel.textContent.includes('HEADERS') && panel.textContent.includes('404') })()")
    same('a click opens the call, with its frames', shown, True)
    one, first, two, second = browser.eval(SORTED)
    same('sorted', ([one, two], first == sorted(first, reverse=True), second == sorted(second)), (['descending', 'ascending'], True, True))
    same('filter', [browser.filter(words) for words in ('status == 404', 'status >= 500', 'path ~ script', '')], [3, 3, 2, len(calls)])
    browser.filter('status ==== (')
    same('a wrong filter is told', browser.eval("document.querySelector('[data-h2lens=filter]').getAttribute('aria-invalid')"), 'true')
    for width in 320, 768, 1440, 1920:
        browser.call('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=False)
        same(f'as wide as {width} px', browser.eval('document.documentElement.scrollWidth') <= width, True)
    same('what ran', browser.eval('window.ran ?? null'), None)


def large(browser, exe, work):
    print('60,000 calls')
    calls = ((request(b'/items/%d' % (number % 700)), b'503' if number % 1000 == 0 else b'200') for number in range(60_000))
    path = report(exe, work, 'large', calls)
    took = min(browser.open(path.as_uri()) for _ in range(3))
    same('calls that are held', browser.eval("Number(document.querySelector('[data-h2lens=count]').textContent)"), 50_000)
    print(f'  opens in {took:.2f} s, {path.stat().st_size / 1e6:.1f} MB')
    same('in time', took < OPENS_SECONDS, True)
    same('those that failed', browser.filter('status == 503'), 60)
    same('rows at once', browser.eval("document.querySelectorAll('[data-h2lens=calls] tbody tr').length < 200"), True)
    browser.filter('')
    browser.eval("document.getElementById('scroller').scrollTop = 1e9")
    same('the last row is reached', browser.eval("new Promise(done => setTimeout(() => done([...document.querySelectorAll('[data-h2lens=calls] tbody tr')].pop().getAttribute('aria-rowindex')), 300))"), '50001')


# How light a part's colour is, from 0 to 1: its relative luminance (WCAG 2).
LIGHTNESS = """[...document.querySelectorAll('#waterfall .swatch')].map(swatch => {
  const linear = getComputedStyle(swatch).backgroundColor.match(/\\d+/g).map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] })"""
# The swatches' colours that the canvas has, by their place in the legend.
DRAWN = """(() => { const canvas = document.querySelector('#waterfall canvas'), names = new Map([...document.querySelectorAll('#waterfall .swatch')].map((swatch, place) => [getComputedStyle(swatch).backgroundColor, place]));
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data, found = new Set();
  for (let at = 0; at < data.length; at += 4) { const place = names.get(`rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`); if (place !== undefined) found.add(place) }
  return [...found].sort((one, two) => one - two) })()"""
PARTS = ['wait', 'server_pause', 'client_pause', 'stream_window', 'connection_window', 'tcp_loss', 'tcp_window', 'other_streams', 'transfer']
AXIS, BAR = 24, 18


def exact(seconds):
    """As the report says it to the nanosecond."""
    nanos = round(seconds * 1e9)
    unit, digits = next((pair for pair in (('s', 9), ('ms', 6), ('µs', 3)) if nanos >= 10 ** pair[1]), ('ns', 0))
    whole, part = divmod(nanos, 10 ** digits)
    return f'{whole}.{part:0{digits}}'.rstrip('0').rstrip('.') + f' {unit}' if digits else f'{nanos} {unit}'


def waterfall(browser, exe, work):
    print('a waterfall')
    slow = pathlib.Path(__file__).resolve().parents[2] / 'testdata/slow.pcap'
    with open(work / 'slow.html', 'wb') as out:
        subprocess.run([exe, slow, '-o', 'html'], check=True, stdout=out)
    told = subprocess.run([exe, slow, '-o', 'ndjson', '--show', 'transactions'], check=True, stdout=subprocess.PIPE).stdout.splitlines()
    records = sorted(map(json.loads, told), key=lambda record: record['@timestamp'])
    browser.call('Emulation.setDeviceMetricsOverride', width=1440, height=900, deviceScaleFactor=1, mobile=False)
    browser.open((work / 'slow.html').as_uri())
    same('the first screen holds what was captured, and where to look', browser.eval("document.querySelector('header').getBoundingClientRect().bottom <= 900 && [...document.querySelectorAll('header li')].length >= 4"), True)
    for scheme in 'light', 'dark':
        browser.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])
        shades = sorted(browser.eval(LIGHTNESS))
        same(f'parts differ in lightness ({scheme})', (len(shades), min(lighter / darker for darker, lighter in zip((shade + 0.01 for shade in shades), (shade + 0.01 for shade in shades[1:]))) > 1.1), (len(PARTS) + 1, True))
    browser.call('Emulation.setEmulatedMedia', features=[])
    drawn = lambda: browser.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelector('#waterfall canvas').toDataURL()))))")
    for number in sorted({record['h2']['connection']['id'] for record in records}):
        calls = [record for record in records if record['h2']['connection']['id'] == number]
        browser.eval(f"document.querySelector('[data-h2lens=connections] tr[data-connection=\"{number}\"] td').click()")
        browser.eval("document.querySelector('#waterfall canvas').scrollIntoView({ block: 'center' })")
        drawn()
        same(f'calls of connection {number}', browser.eval("document.querySelector('#waterfall h3').textContent").split(' in ')[0], f'Connection {number}: {len(calls)} calls')
        span = max(record['duration'] for record in calls)
        seen = {place for record in calls for place, part in enumerate(PARTS) if record['h2'].get('time', {}).get(part, 0) > span / 100}
        same('their parts are drawn', seen <= set(browser.eval(DRAWN)), True)
        x, y = browser.eval("(() => { const box = document.querySelector('#waterfall canvas').getBoundingClientRect(); return [box.left, box.top] })()")
        for row, record in enumerate(calls):
            browser.call('Input.dispatchMouseEvent', type='mouseMoved', x=x + 400, y=y + AXIS + BAR * (row + 0.5))
            tip = browser.eval("document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText")
            times = [record['duration'], *record['h2'].get('time', {}).values()]
            same(f'over {record["url"]["path"]} stands how long what took', [exact(time) in tip for time in times], [True] * len(times))
    whole = drawn()
    press = lambda key: [browser.call('Input.dispatchKeyEvent', type=kind, key=key, text=key if len(key) == 1 and kind == 'keyDown' else '') for kind in ('keyDown', 'keyUp')]
    browser.eval("document.querySelector('#waterfall canvas').focus({ preventScroll: true })")
    views = [whole]
    for key in '+', '+', 'ArrowRight', '-', 'ArrowLeft':
        press(key)
        views.append(drawn())
    same('keys zoom and pan', all(one != two for one, two in zip(views, views[1:])), True)
    press('Home')
    same('and show all of it again', drawn() == whole, True)
    browser.call('Input.dispatchMouseEvent', type='mouseWheel', x=x + 700, y=y + AXIS + 5, deltaX=0, deltaY=-100, modifiers=2)
    same('the wheel zooms', drawn() != whole, True)
    press('Home')
    opened = lambda: browser.eval("(() => { const panel = document.querySelector('[data-h2lens=detail]'); return panel.hidden ? '' : panel.textContent })()")
    for kind in 'mousePressed', 'mouseReleased':
        browser.call('Input.dispatchMouseEvent', type=kind, x=x + 400, y=y + AXIS + BAR / 2, button='left', clickCount=1)
    text = opened()
    same('a click opens the call', (calls[0]['url']['path'] in text, 'HEADERS' in text), (True, True))


# The panel's own modules; the names are those of Chromium's sources.
IMPORT = """(async () => {
  const [network, ui, logs] = await Promise.all(['panels/network/network.js', 'ui/legacy/legacy.js', 'models/logs/logs.js'].map(name => import(`./${name}`)));
  await ui.ViewManager.ViewManager.instance().showView('network');
  const view = network.NetworkPanel.NetworkPanel.instance().networkLogView;
  await view.onLoadFromFile(new File([HAR], 'calls.har', { type: 'application/json' }));
  const requests = () => logs.NetworkLog.NetworkLog.instance().requests();
  for (let turn = 0; turn < 100 && !requests().length; turn += 1) await new Promise(done => setTimeout(done, 50));
  return requests().map(request => [request.requestMethod, request.url(), request.statusCode, Math.round(request.duration * 1e9)]);
})()"""


def network_panel(browser, exe, work):
    print('HAR in the network panel')
    har = subprocess.run([exe, work / 'hostile.pcap', '-o', 'har'], check=True, stdout=subprocess.PIPE).stdout.decode()
    browser.open('devtools://devtools/bundled/devtools_app.html?panel=network')
    try:
        shown = browser.eval(IMPORT.replace('HAR', json.dumps(har), 1))
    except RuntimeError as error:
        print(f'  not tested: these developer tools are others ({str(error)[-200:]})')
        return
    entries = [[entry['request']['method'], entry['request']['url'], entry['response']['status'], round(entry['time'] * 1e6)] for entry in json.loads(har)['log']['entries']]
    # Milliseconds as a fraction of a time of today are good for a microsecond.
    near = all(got[:3] == wanted[:3] and abs(got[3] - wanted[3]) < 2000 for got, wanted in zip(shown, entries))
    same('entries as they were written', (len(shown), near), (len(entries), True))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    names = sys.argv[2:] or ['chromium', 'chromium-browser', 'google-chrome']
    chromium = next((found for name in names if (found := shutil.which(name))), None)
    if not chromium:
        print('there is no Chromium')
        sys.exit(77)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        work = pathlib.Path(work)
        browser = Browser(chromium, work / 'profile')
        try:
            for test in hostile, large, waterfall:
                test(browser, os.path.abspath(sys.argv[1]), work)
            same('the console says', browser.said, [])
            same('asked for', [url for url in browser.asked if not url.startswith(work.as_uri())], [])
            network_panel(browser, os.path.abspath(sys.argv[1]), work)
        finally:
            browser.close()
    print('all of it holds')


if __name__ == '__main__':
    main()
