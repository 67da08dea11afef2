#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""In the box, under screen.sh: a newcomer's first minute. Starts virtdesk, makes the sample machine by
keys, types a sum of random numbers into its console and reads the result from the pixels. Then turns
the machine off and quits. No QEMU process may exist at any time.

  use-window.py VIRTDESK PICTURES

The window is fullscreen on a screen of the guest's size, so a guest's pixel is a pixel of the screen
and the text console's cells are where they are in the guest. A guest that was up before the window was
fullscreen keeps its smaller size, is drawn larger, and is started again. What a digit looks like is
learnt from a line of all ten.
"""
import random
import sys

from desktop import HEIGHT, WIDTH, Screen, Session, click, no_qemu, window, xdotool

def type_line(text):
    """Keys are let go at once: a release that comes late on a slow host repeats in the guest."""
    xdotool('type', '--delay', '8', text)
    xdotool('key', 'Return')


def fill_the_screen(session):
    """On a slow host a key may repeat in the guest: the line is typed again until it was right."""
    def is_whole():
        if Screen().is_whole():
            return True
        type_line('reboot -f')
        session.settled('an answer of the shell', 5)
        if not Screen().is_picture():
            session.wait('the guest\'s picture', lambda: Screen().is_picture())
            session.settled('the guest\'s first screen again', 10)
        return False
    session.wait('a guest\'s screen of our size', is_whole)


def learn_digits(session):
    """Types all digits until a line shows ten different cells: that is what they look like."""
    def line_of_ten():
        type_line('echo 0123456789')
        session.settled('an answer of the shell')
        return next((line for line in Screen().lines() if len(line) == 10 and len(set(line)) == 10), None)
    return {cell: str(digit) for digit, cell in enumerate(session.wait('the ten digits', line_of_ten))}


def compute(session, digits):
    """On a slow host a key may repeat in the guest: the line is typed again until it was right."""
    a, b = random.randint(100, 999), random.randint(100, 999)

    def answer():
        type_line(f'echo $(({a}*{b}))')
        session.settled('an answer of the shell')
        return str(a * b) in [''.join(digits.get(cell, '?') for cell in line) for line in Screen().lines()]
    session.wait(f'{a} * {b} = {a * b} on the screen', answer)
    print(f'read from the pixels: {a} * {b} = {a * b}', flush=True)


def turn_off(session):
    def is_off():
        type_line('poweroff -f')
        session.settled('the end of the machine', 5)
        return Screen().is_page()
    session.wait('the end of the machine', is_off)


def main():
    session = Session(sys.argv[1], sys.argv[2])
    try:
        session.wait('the window', lambda: window('^VirtDesk$'))
        session.settled('the first page')
        session.picture('1-empty')
        xdotool('key', 'alt+t')
        session.settled('the review page')
        session.picture('2-review')
        xdotool('key', 'alt+c')
        console = session.wait('the console', lambda: window('^Sample$'))[0]
        xdotool('windowactivate', '--sync', console)
        session.picture('3-console')
        xdotool('key', 'F11') # before the guest looks at the size of its screen
        session.wait('the guest\'s picture', lambda: Screen().is_picture())
        session.settled('the guest\'s first screen', 10)
        session.picture('4-fullscreen')
        no_qemu()
        click(WIDTH // 2, HEIGHT // 2)
        fill_the_screen(session)
        digits = learn_digits(session)
        session.picture('5-shell')
        for _ in range(2):
            compute(session, digits)
        session.picture('6-computed')
        no_qemu()
        turn_off(session)
        session.picture('7-off')
        xdotool('key', 'ctrl+q')
        session.process.wait(timeout=300)
        if session.process.returncode:
            sys.exit(f'virtdesk ended with {session.process.returncode}')
    finally:
        if session.process.poll() is None:
            session.process.kill()
            session.process.wait()


if __name__ == '__main__':
    main()
