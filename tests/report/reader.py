"""What a browser would see of a page, and words that try to be more than words."""

import re
from html.parser import HTMLParser

EVIL = """</pre></title></script><script>alert("1")</script><img src=x onerror='alert(2)'>"&'"""


class Reader(HTMLParser):
    """What a browser would see: text, tags with their attributes, and the page's data."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.within = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in ("script", "style", "title"):
            self.within.append(tag)

    def handle_endtag(self, tag):
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data):
        if not self.within:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"[ \n]+", " ", " ".join(self.words))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]
