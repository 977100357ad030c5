"""A shop's program with a database: does what it is told, line by line, and says how that went."""
import json
import sqlite3
import sys

databases = {}
for line in sys.stdin:
    who, what = json.loads(line)
    try:
        if what.startswith("open "):
            databases[who] = sqlite3.connect(what[5:], isolation_level=None, timeout=5)
            said = "opened"
        elif what == "close":
            databases.pop(who).close()
            said = "closed"
        else:
            said = [list(row) for row in databases[who].execute(what)]
    except sqlite3.Error as error:
        said = "error: %s" % error
    print(json.dumps(said), flush=True)
