# SPDX-License-Identifier: GPL-3.0-or-later
"""A person before virtdesk's window in the box, under screen.sh: looks at the screen's pixels, reads
words, types and clicks."""
import pathlib
import subprocess
import sys
import time

WIDTH, HEIGHT, CELL_WIDTH, CELL_HEIGHT = 1280, 800, 8, 16
BLINK = 200 # pixels that a blinking cursor may change in a picture that stands still
ACCENT = bytes([0x35, 0x84, 0xe4]) # of libadwaita's buttons
SMALLEST_BUTTON = 1000 # pixels of it
LIMIT = 1500 # seconds: ends a run that hangs, decides nothing


def xdotool(*words):
    subprocess.run(['xdotool', *words], check=True, stdout=subprocess.DEVNULL)


class Screen:
    """The root window's pixels, as one brightness a pixel."""

    def __init__(self):
        self.grey = subprocess.run(['import', '-window', 'root', '-depth', '8', 'gray:-'], capture_output=True, check=True).stdout

    def cell(self, row, column):
        start = row * CELL_HEIGHT * WIDTH + column * CELL_WIDTH
        return tuple(byte > 128 for y in range(CELL_HEIGHT) for byte in self.grey[start + y * WIDTH:start + y * WIDTH + CELL_WIDTH])

    def is_picture(self):
        """Whether the upper half, below any header bar, has many shades: the sample's landscape."""
        return len(set(self.grey[WIDTH * 60:WIDTH * HEIGHT // 2])) > 120

    def is_whole(self):
        """Whether the picture goes from edge to edge: the guest's screen has the size of this one."""
        return all(self.grey[y * WIDTH + x] for y in range(0, HEIGHT // 4, 16) for x in (0, WIDTH - 1))

    def is_text(self):
        """Whether it is mostly dark, with much that is bright: what firmware and a boot loader show."""
        bright = sum(byte > 128 for byte in self.grey)
        return WIDTH * HEIGHT // 500 < bright < WIDTH * HEIGHT // 4

    def is_page(self):
        """Whether it is a page of the window, which is mostly white."""
        return sum(self.grey[::97]) / len(self.grey[::97]) > 200

    def words(self, row, n=24):
        """The cells at the start of a row, up to the first blank one."""
        cells = []
        while len(cells) < n and any(cell := self.cell(row, len(cells))):
            cells.append(cell)
        return cells

    def lines(self):
        return [self.words(row) for row in range(HEIGHT // CELL_HEIGHT)]


class Session:
    def __init__(self, program, pictures):
        self.pictures, self.end = pathlib.Path(pictures), time.monotonic() + LIMIT
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen([program])

    def picture(self, name):
        subprocess.run(['import', '-window', 'root', self.pictures / f'{name}.png'], check=False)

    def wait(self, what, condition):
        while not (result := condition()):
            if self.process.poll() is not None:
                sys.exit(f'virtdesk ended with {self.process.returncode} while waiting for {what}')
            if time.monotonic() > self.end:
                sys.exit(f'{what} did not come: see now.png, which says: {words(self.pictures / "now.png")}')
            self.picture('now')
            time.sleep(0.5)
        return result

    def settled(self, what, seconds=3):
        """Waits until the picture stands still and is not empty."""
        before, since = None, time.monotonic()

        def still():
            nonlocal before, since
            now = Screen().grey
            if before is None or sum(map(int.__ne__, now, before)) > BLINK:
                before, since = now, time.monotonic()
            return time.monotonic() - since > seconds and len(set(now)) > 1
        self.wait(what, still)


def words(picture):
    """What can be read there, in one line."""
    read = subprocess.run(['tesseract', picture, '-', '--psm', '6'], capture_output=True, text=True)
    return ' | '.join(line for line in read.stdout.splitlines() if line.strip())


def no_qemu():
    for comm in pathlib.Path('/proc').glob('[0-9]*/comm'):
        try:
            if 'qemu' in comm.read_text():
                sys.exit('a QEMU process exists: this is not the local engine')
        except OSError:
            pass # it has ended


def window(name):
    found = subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', name], capture_output=True, text=True)
    return found.stdout.split()


def click(x, y):
    xdotool('mousemove', str(x), str(y), 'click', '1')


def find_suggested():
    """The middle of the button in the accent colour: the one thing that one most likely wants to do."""
    rgb = subprocess.run(['import', '-window', 'root', '-depth', '8', 'rgb:-'], capture_output=True, check=True).stdout
    places = [(at // 3 % WIDTH, at // 3 // WIDTH) for at in range(0, len(rgb), 3) if rgb[at:at + 3] == ACCENT]
    if len(places) < SMALLEST_BUTTON:
        return None
    return tuple(sum(place[axis] for place in places) // len(places) for axis in (0, 1))


def click_suggested(session, what):
    click(*session.wait(what, find_suggested))
