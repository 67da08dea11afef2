#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""In the box, under screen.sh: a machine from an ISO. Starts virtdesk, makes a machine from a file, by
clicks and in the file dialog, sees what firmware and GRUB show, takes an entry of GRUB's menu, and the
system that it starts turns the machine off: nothing else does. No QEMU process may exist at any time.

  use-disc.py VIRTDESK PICTURES DISC
"""
import pathlib
import shutil
import sys

from desktop import HEIGHT, WIDTH, Screen, Session, click, click_suggested, no_qemu, window, words, xdotool


def choose_file(session, path):
    """In the toolkit's own dialog, where a slash begins a path."""
    xdotool('key', 'alt+f')
    session.wait('the dialog', lambda: window('^Choose What the Machine Starts From$'))
    session.settled('the dialog')
    xdotool('type', '--delay', '30', path)
    xdotool('key', 'shift+End', 'Delete') # what the dialog has proposed meanwhile
    session.settled('the path')
    session.picture('2-file')
    xdotool('key', 'Return')
    session.wait('the end of the dialog', lambda: not window('^Choose What the Machine Starts From$'))
    session.settled('the review page')
    session.picture('3-review')


def shows_menu(session):
    session.picture('now')
    return 'Guest off' in words(session.pictures / 'now.png')


def choose_entry(session):
    """The first one. No key is sent when the menu is gone: it would find the button that starts the machine
    again."""
    session.wait('the menu', lambda: shows_menu(session))
    session.picture('4-menu')
    xdotool('key', 'Return')
    session.wait('the end of the menu', lambda: not shows_menu(session))
    session.wait('the end of the machine', lambda: Screen().is_page())


def main():
    session = Session(sys.argv[1], sys.argv[2])
    disc = pathlib.Path('/tmp/rescue.iso')
    shutil.copy(sys.argv[3], disc)
    try:
        session.wait('the window', lambda: window('^VirtDesk$'))
        session.settled('the first page')
        session.picture('1-empty')
        click_suggested(session, 'the button New Machine')
        session.settled('the first page of New Machine')
        choose_file(session, str(disc))
        click_suggested(session, 'the button Create')
        console = session.wait('the console', lambda: window('^rescue$'))[0]
        xdotool('windowactivate', '--sync', console, 'key', 'F11')
        session.wait('what firmware shows', lambda: Screen().is_text())
        no_qemu()
        click(WIDTH // 2, HEIGHT // 2)
        choose_entry(session)
        session.picture('5-off')
        no_qemu()
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
