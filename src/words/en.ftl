# English. Keys are grouped by where they are said. Keep sentences short: a screen of 80 columns shows them whole.

## Figures

size-bytes = { $n } B
size-kib = { $n } KiB
size-mib = { $n } MiB
size-gib = { $n } GiB
size-tib = { $n } TiB
figure-point = .
span-s = { $n } s
span-min = { $n } min
span-h-min = { $large } h { $small } min
span-d-h = { $large } d { $small } h
span-min-s = { $large } min { $small } s
span-days-h = { $large ->
    [one] 1 day
   *[other] { $large } days
  } { $small } h
clock-today = today { $time }
clock-date = { $weekday } { $day } { $month } { $time }
day-mon = Mon
day-tue = Tue
day-wed = Wed
day-thu = Thu
day-fri = Fri
day-sat = Sat
day-sun = Sun
month-jan = Jan
month-feb = Feb
month-mar = Mar
month-apr = Apr
month-may = May
month-jun = Jun
month-jul = Jul
month-aug = Aug
month-sep = Sep
month-oct = Oct
month-nov = Nov
month-dec = Dec

## How sure a copy is

grade-exact = exact
grade-exact-means = a state that the POS program itself could have left
grade-steady = steady
grade-steady-means = nothing moved while it was read
grade-unsteady = unsteady
grade-unsteady-means = something kept moving: not one instant
grade-incomplete = incomplete
grade-incomplete-means = a file could not be read

## What happened

event-opened = The mirror was opened.
event-opened-redone = The mirror was opened; { $n ->
    [one] an interrupted step was
   *[other] { $n } interrupted steps were
  } finished.
event-first-copy = A first copy is needed.
event-first-copy-goes-on = The first copy goes on: { $n ->
    [one] 1 file is
   *[other] { $n } files are
  } there already.
event-copied-names = Names and rights copied in { $took }: { $grade }
event-copied = { $files ->
    [one] 1 file
   *[other] { $files } files
  } copied, { $bytes } in { $took }: { $grade }
event-copied-gone = { $gone ->
    [one] 1 name
   *[other] { $gone } names
  } removed in { $took }: { $grade }
event-copied-both = { $files ->
    [one] 1 file
   *[other] { $files } files
  } copied, { $gone } removed, { $bytes } in { $took }: { $grade }
event-verified = Every byte compared: { $files ->
    [one] 1 file
   *[other] { $files } files
  }, { $bytes }, all equal.
event-verified-differed = Every byte compared: { $differed } of { $files } files differed; { $differed ->
    [one] it is
   *[other] they are
  } copied again.
event-strange = Changed in the mirror by someone else, copied again: { $file }
event-set-aside = Set aside to { $to }: { $file }
event-special = Not a file, folder or link, so not copied: { $file }
event-history-dropped = Old steps back were deleted; { $n ->
    [0] none is
    [one] 1 step back is
   *[other] { $n } steps back are
  } left.
event-removals-taken = Answered: the files that went are gone from the mirror, too.
event-removals-kept = Answered: the mirror keeps the files that went.
event-removals-back = The files that went are back; nothing to answer.
event-older-taken = Answered: the older files are taken over; what only the mirror held is set aside.
event-older-kept = Answered: the mirror keeps what it has.
event-older-back = The source is no longer older than the mirror; nothing to answer.
event-emptied-taken = Answered: the emptied files are empty in the mirror, too.
event-emptied-kept = Answered: the mirror keeps what was in the emptied files.
event-emptied-back = The emptied files are filled again; nothing to answer.

noted-began = Espejo { $version } began.
noted-ended = Espejo ended in order.
noted-epoch-main = Epoch { $epoch } is in force: the main serves.
noted-maintenance-began = Maintenance began: nobody is called until { $until }.
noted-maintenance-ended = Maintenance ended: people are called again.
noted-muted = The alarm was muted.
noted-duty-serving = This machine is the server now.
noted-duty-mirroring = This machine mirrors the other one now.
noted-duty-waiting = This machine waits now: it neither serves nor mirrors.
noted-epoch-backup = Epoch { $epoch } is in force: the backup serves.
noted-invited = A code was given for a machine to join.
noted-terminal-invited = A code was given for a terminal to join: { $name }
noted-terminal-joined = A terminal has joined: { $name }
noted-message-sent = To the people at the terminals: { $text }
noted-joined = A machine has joined: { $machine }
noted-revoked = The machine that had joined is turned away from now on: { $machine }
noted-configured = Another configuration counts: number { $revision }
noted-kept = { $files ->
    [one] 1 file was
   *[other] { $files } files were
  } set aside to { $to }
noted-stepped-back = The copy was stepped back to what it was at { $to }; what it held since was set aside.
noted-numbered = { $name } goes on behind { $next }: the last one in the copy is { $last }, and { $first } to { $end } may have been given out
noted-numbered-series = { $name } goes on in series { $next }: the last one in the copy is { $last }, and { $first } and what follows may have been given out
noted-numbered-only = { $name } goes on at { $next }; the last one in the copy is { $last }
noted-rescue-read = What was set aside was looked into, record by record: { $name }
noted-rescue-exported = What was set aside was copied to { $to }: { $name }
noted-rescue-deleting = What was set aside is being deleted: { $name }, { $files ->
    [one] 1 file
   *[other] { $files } files
  }, { $size }
noted-given-up = What { $name } alone held on the machine that was the server before could not be set aside, and is given up.
noted-history-forgotten = The earlier states of the copy are deleted.
noted-rescue-deleted = What was set aside is deleted: { $name }
noted-record-lost = The file that says who serves could not be read, or was not this machine's. It is kept as { $kept }. Who serves is asked of the other machine, or of a person.
noted-record-gone = The file that says who serves was gone. Who serves is asked of the other machine, or of a person.
noted-numbers-lost = What was set of the numbers that must not repeat could not be read. It is kept as { $kept }. Where the backup is the server and its POS server does not run, they go on anew behind what the data say now.
noted-diary-damaged = The diary was damaged. It is kept as { $kept }, and a new one has begun.
noted-diary-fails = The diary cannot be written: { $error }
noted-diary-works = The diary can be written again.

## Operations

operation-verify = Compare every byte
operation-reseed = Take the copy anew
operation-promote = Start backup server
operation-switch = Change to backup server
operation-adopt = Adoption as main
operation-drill = Drill
operation-return = Return to main server
operation-start = Start main server
step-close-mirror = Close the mirror
step-take-epoch = Take the place of the server
step-set-numbers = Go on with numbers that were never given
step-start-server = Start the POS server
step-other-level = { $other } holds everything
step-other-waits = { $other } waits
step-set-aside = Set aside what { $other } alone held
step-copy-back = Copy everything back
step-pause = Terminals pause
step-last-changes = Last changes
step-compare = Compare both copies
step-hand-over = Hand over, { $other } starts
step-copy-mirror = Copy the mirror
step-start-training = Start the POS server on the copy
step-clean-up = Take it down again
step-name-main = Make this machine the main
step-other = Something that this version does not know
lack-uncounted = { $label }: not counted in the copy; how many may be missing is not known
lack-unknown = { $label }: { $held } in the copy; how many may be missing is not known
lack-none = { $label }: { $held } in the copy; none is likely to be missing
lack-at-most = { $label }: { $held } in the copy; at most { $n } may be missing
lack-seen = { $label }: seen by terminals and not in the copy: { $seen }
checked-duty = this machine's part
checked-verdict = the other machine
checked-goodbye = contact since the evening
checked-copy = the copy
checked-copy-age = age of the copy
checked-datasets = every dataset
checked-questions = questions about the copy
checked-proven = the last comparison
checked-licence = backup licence
checked-server = POS server program
checked-server-version = version of the POS server
checked-numbers = numbers that must not repeat
checked-room = room on the disk
checked-line = line between the machines
checked-free = other operations
checked-other = something else
operation-running = running
operation-done = done
operation-refused = refused
operation-failed = failed
operation-differed = { $files ->
    [one] 1 file
   *[other] { $files } files
  } differed, copied again
operation-interrupted = the service ended meanwhile; ask for it again

## What is wrong, what to do, and that it is over

trouble-disk-full = No room on the mirror's disk: { $free } are free.
trouble-disk-full-by = No room on the mirror's disk: { $needed } needed, { $free } free.
trouble-disk-full-do = Make room there. The source is not affected; copying goes on by itself.
trouble-mirror-fails = The mirror's disk fails: { $error }.
trouble-mirror-fails-do = Have the disk of this machine looked at. The source is not affected.
trouble-dataset-stopped = { $more ->
    [0] { $name } is not mirrored any more: { $why }
   *[other] { $name } and { $more } more are not mirrored any more: { $why }
  }
trouble-dataset-stopped-do = The other datasets go on. When it is mended: espejo return --copy { $name }. It is tried again by itself, too.
trouble-source-gone = The source folder cannot be read: { $error }.
trouble-source-gone-do = Bring the folder back. The mirror stays as it is; copying goes on by itself.
trouble-held = { $n ->
    [one] 1 file is
   *[other] { $n } files are
  } held back until a question is answered.
trouble-held-do = Answer the question.
trouble-unreadable = { $n ->
    [one] A file cannot be read: { $first }
   *[other] { $n } files cannot be read; the first is { $first }
  }
trouble-unreadable-do = Give Espejo the right to read it. All the rest is copied.
doubt-database = { $n ->
    [0] The database { $file } is damaged, in the copy as on the other machine: { $why }.
   *[other] The database { $file } and { $n } more are damaged, in the copy as on the other machine: { $why }.
  }
doubt-database-do = Call whoever looks after the POS software. What there is of earlier states is kept for a day: espejo history --copies
doubt-rotten = { $n ->
    [one] This disk has damaged a file of the copy: { $first }.
   *[other] This disk has damaged { $n } files of the copy; the first is { $first }.
  }
doubt-rotten-do = It is copied again as soon as the other machine is heard. Have the disk of this one looked at.
doubt-unsteady = The data of { $dataset } do not hold still any more: they are copied, and nobody can say that they fit together.
doubt-unsteady-do = Call support: the POS software may offer a pause for copying (hooks: quiesce, resume).
doubt-not-restored = The database { $dataset } could not be read back from its dump, and the POS server waits for that: { $why }.
doubt-not-restored-do = Mend that; it is tried again every 10 s, and the POS server starts then.
doubt-restoring = The database is being read back from its dump, for { $minutes } min by now; the POS server waits for that.
doubt-restoring-do = A large one takes its time. Else look whether somebody has that database open: it may wait for that.
doubt-not-dumped = The database { $dataset } cannot be dumped; the copy has an older dump: { $why }.
doubt-not-dumped-do = Mend that; it is tried again by itself.
doubt-not-aside = What { $dataset } alone held on the machine that was the server before cannot be set aside, and is not overwritten before that: { $why }.
doubt-not-aside-do = Mend that; it is tried again by itself. Where the database can never be read, the support may give it up (espejo rescue give-up { $dataset }).
doubt-unopened = There was no room to look whether { $n ->
    [one] a database of { $dataset } opens
   *[other] { $n } databases of { $dataset } open
  }: the copy is not proven.
doubt-unopened-do = Free as much room as they take, then: espejo verify
doubt-proof-old = The copy of { $dataset } was last proven { $days } days ago; that is tried each day.
doubt-proof-old-do = See that the main is there and the line carries it, then: espejo verify
doubt-drill-failed = The last drill failed: { $why }.
doubt-drill-failed-do = Mend that, and hold another one: espejo drill.
doubt-drill-old = For { $days } days no drill was held: nobody knows whether the POS server would start here.
doubt-drill-old-do = Hold one; the shop does not notice: espejo drill
doubt-much-changed = { $percent } % of the data of { $dataset } changed at once: a shop rarely does that, damage and malware do.
doubt-much-changed-do = Look at the main server. Was it meant, by an update? espejo maintenance off. If not: the state before is kept, for espejo promote --as-of.
trouble-watch-limit = Too many folders to be told of changes: all is looked through every { $every }.
trouble-watch-limit-do = Raise the system's limit (fs.inotify.max_user_watches) for faster copies.
trouble-unwatched = The source lies on another machine: it is looked through every { $every }.
trouble-unwatched-do = Nothing is lost. Where Espejo runs on that machine, each change is copied at once.
trouble-silent = The other machine is not heard.
trouble-silent-do = Is it switched on, and is its network cable in? Short breaks heal by themselves.
trouble-unanswered = The other machine is heard, but nothing gets through to it.
trouble-unanswered-do = Look at the cable and the switch between the two, and at a firewall on either: one way is closed.
trouble-copy-old = The copy is { $age } old; it may be { $limit }.
trouble-copy-old-do = Mend what else is said to be wrong. If nothing is, the line between the two is too slow.
trouble-stopped = The copy has stopped: nothing has come for { $for }, though the machines hear each other.
trouble-stopped-do = Have the disks of both machines looked at; then start Espejo on the backup again.
trouble-versions = This machine runs version { $ours }, the other one { $theirs }.
trouble-versions-do = Install the same version on both.
trouble-no-room-aside = No room to set aside what this machine alone holds: { $needed } needed, { $free } free.
trouble-no-room-aside-do = Make room on it. Nothing is replaced before; it goes on by itself.
trouble-disk-low = Only { $free } are free on this machine's disk.
trouble-disk-low-do = Make room before it is full.
trouble-key-twice = A second machine with the backup's key calls, from { $from }: its disk is a copy. It is turned away.
trouble-key-twice-do = On the copied machine stop Espejo, remove its home, and join again with a new code (espejo invite backup).
trouble-record-unsaved = This machine cannot note that the other one is the server: { $error }.
trouble-record-unsaved-do = Make room on this machine's disk, or look at it. It is tried each second; nothing is mirrored here before.
trouble-stray-process = The POS server runs on the machine that mirrors: process { $pid }.
trouble-stray-process-do = Stop it there (kill { $pid }): what it writes there is lost, and two servers may give the same numbers.
trouble-stray-unit = The POS server runs on the machine that mirrors: unit { $unit }.
trouble-stray-unit-do = Stop it there (systemctl disable --now { $unit }): what it writes there is lost, and two servers may give the same numbers.
trouble-stray-port = Something answers as the POS server on the machine that mirrors, at { $address }.
trouble-stray-port-do = Find out there what it is (ss -ltnp), and stop it if it is the POS server: what that writes there is lost.
trouble-server-far = The POS server of the other machine does not answer.
trouble-server-far-do = Look at that machine's screen, which says why; Espejo there starts the program again by itself when it ends.
trouble-server-ended = The POS server has ended by itself, with code { $code }.
trouble-server-gone = The POS server has ended by itself.
trouble-server-ended-do = It is started again by itself. What it printed is in log/server.log in the home.
trouble-server-not-ready = The POS server was started and is not ready after { $after }.
trouble-server-not-ready-do = What it printed is in log/server.log in the home. If it only needs longer, set a longer timeout in ready in store.toml.
trouble-server-silent = The POS server runs and does not answer.
trouble-server-silent-do = End it, and it is started again by itself. What it printed is in log/server.log in the home.
trouble-server-cannot = The POS server cannot be started: { $what }: { $error }.
trouble-server-cannot-do = Mend that, or [server] in store.toml. It is tried again by itself.
trouble-server-enabled = The POS server is not started: the system starts { $unit } by itself at boot, also where it must not run.
trouble-server-enabled-do = Type systemctl disable { $unit }: Espejo starts it where it is to run.
trouble-server-vetoed = The POS server is not started: the hook { $hook } refuses it, or takes too long.
trouble-server-vetoed-do = Ask who wrote that program, or look at [hooks] in store.toml. It is tried again by itself.
trouble-server-no-systemd = The POS server cannot be started: there is no systemd here for { $unit }.
trouble-server-no-systemd-do = Write command instead of unit into [server] in store.toml.
trouble-unproven = The other machine says that epoch { $epoch } is in force, and cannot prove it: it is not believed, and nothing changes here.
trouble-unproven-do = Start Espejo there again, in the same version as here. If that does not help, somebody has changed its files: call support.
trouble-events-wait = { $n ->
    [one] 1 event waits
   *[other] { $n } events wait
  } for the program event in [hooks]: it has taken none for { $for }.
trouble-events-wait-do = It must end with 0 in time. Nothing is lost: it is told each event again, in order, until it does.
trouble-stands-still = The POS software was asked to stand still for the copy, and its hook resume fails: it may stand still.
trouble-stands-still-do = It is asked again every second. If nobody can sell, have it go on by hand; then mend the hook (store.toml, [hooks] resume).
trouble-stopped-alone = This machine is cut off: it hears neither the other machine nor any terminal, and its POS server is stopped.
trouble-stopped-alone-do = Check this machine's network cable, then the switch. When anyone is heard the POS server starts again by itself.
trouble-devices-main = The main does not reach: { $names }.
trouble-devices-backup = The backup does not reach: { $names }.
trouble-devices-both = Neither machine reaches: { $names }.
trouble-devices-do = See whether it is switched on, and reached from there (espejo check); or mend its address in [[device]] in store.toml.
mended-stands-still = The POS software goes on: its hook resume has done what it should.
mended-stopped-alone = Somebody is heard again: the POS server starts.
mended-devices = Every device is reached from both machines.
mended-stray = The POS server does not run on the machine that mirrors any more.
mended-unproven = The other machine speaks of no epoch any more that it cannot prove.
mended-events-wait = The program event in [hooks] takes what it is told again.
mended-server = The POS server answers again.
mended-silent = The other machine is heard again.
mended-unanswered = The other machine can be reached again.
mended-copy-old = The copy is fresh again.
mended-stopped = The copy goes on again.
mended-versions = Both machines run the same version.
mended-no-room-aside = What this machine alone held is set aside.
mended-disk-low = There is enough room on this machine's disk again.
mended-key-twice = No second machine with the backup's key calls any more.
mended-record-unsaved = It is noted here who the server is.
mended-disk-full = There is room on the mirror's disk again.
mended-mirror-fails = The mirror's disk works again.
mended-dataset-stopped = Every dataset is mirrored again.
mended-source-gone = The source folder is back.
mended-held = Nothing is held back any more.
mended-unreadable = Every file can be read again.
mended-database = Every database opens.
mended-rotten = The damaged files were copied again.
mended-unsteady = The data hold still again.
mended-not-restored = The database was read back from its dump.
mended-restoring = No database is being read back any more.
mended-not-dumped = The database is dumped again.
mended-not-aside = What a database alone held is set aside, or given up.
mended-drill = A drill has shown that the POS server starts here.
mended-unopened = It was looked whether the databases open.
mended-proof-old = The copy is proven again.
mended-much-changed = That much of the data changed at once is not said any more: it was meant, or a day has passed.
mended-watch-limit = The system tells of changes again.

## The backup licence

label-licence = Licence
licence-is-missing = none; { $name } cannot be started as the server
licence-is-ready = { $days } ready; they run only while { $name } serves
licence-is-running = { $left } left
licence-is-over = no days are left
licence-is-used = used up
licence-until = until { $end }
licence-days = { $n ->
    [one] 1 day
   *[other] { $n } days
  }
licence-over = The days of the backup licence are over; this backup still serves.
licence-over-do = Have the main repaired, then return to it. Selling goes on.
licence-over-do-vendor = Have the main repaired and return to it, or ask the vendor for more days. Until then selling goes on.
licence-ends = The backup licence ends in { $left }.
licence-ends-do = Have the main repaired, then return to it.
licence-stops = The backup licence ends in { $left }. At the next quiet minute after that, in { $stop } at the latest, the POS server is stopped.
licence-over-stops = The days of the backup licence are over: the POS server is stopped at the next quiet minute, in { $stop } at the latest.
licence-stopped = The POS server is stopped: the days of the backup licence are over.
licence-stopped-do = Return to the main: all data are here, and nothing is lost. Or ask the vendor for more days: with them the POS server starts by itself.
licence-used = The days of the backup licence are used up.
licence-used-do = They were only counted: a start of the backup is not kept back.
licence-used-do-vendor = Ask the vendor for a new one, with what espejo licence show prints; then espejo licence install FILE.
licence-missing = No backup licence is installed: mirroring works, the backup server cannot be started.
licence-missing-do = Ask the vendor for one, with what espejo licence show prints here; then espejo licence install FILE.
licence-unfit = The backup licence that is installed does not hold here: the backup server cannot be started.
licence-unfit-do = Type espejo licence show: it says why.
licence-ledger-lost = Both copies of the ledger of days are gone or damaged: nobody knows how many were used.
licence-ledger-lost-do = Until a new licence or a completed return gives new days, none are left. Ask the vendor.
licence-mended-over = The backup licence has days again.
licence-mended-ends = The backup licence does not run out any more.
licence-mended-missing = A backup licence is installed.
licence-mended-ledger = The days of the backup licence are known again.
licence-event-began = The days of the backup licence run.
licence-event-ended = The days of the backup licence do not run any more.
licence-event-stopped = The days of the backup licence are over: the POS server is stopped in order.
licence-event-left = The backup licence has { $left } left.
licence-clock-back = The clock was set back by { $by }; the days of the licence do not follow it.
licence-clock-forward = The clock was set forward by { $by }; the days of the licence do not follow it.
licence-noted-estimated = { $ms } were counted by the clock alone: the machine had been started anew.
licence-noted-copy = One copy of the ledger was gone or damaged; the other was taken.
licence-no-licence = This is no backup licence. It is one line that begins with v4.public.
licence-damaged = This licence is damaged or was altered. Copy it anew, whole, from what the vendor sent.
licence-other-vendor = This licence is signed by another vendor ({ $theirs }) than store.toml names ({ $ours }). Ask that one, or mend vendor_key.
licence-other-store = This licence is for store "{ $theirs }", and this one is called "{ $ours }". Ask the vendor for one with this name.
licence-other-machine = This licence is for machine { $theirs }. This one is { $ours }: install it there, or ask the vendor for one for this machine.
licence-other-option = This licence allows "{ $option }", not the backup server. Ask the vendor for one that does.
licence-bad-terms = This licence has terms that this version does not know. Ask the vendor, or install a newer version.
check-licence = There is no valid backup licence.
remedy-install-licence = Ask the vendor for one: espejo licence show prints what is needed.
refusal-twin = Another machine with this one's key is the backup: this disk is a copy of that one's, or that one's of this. Were both started, there would be two servers. On the copied one stop Espejo, remove its home, and join again with a new code.
refusal-parted = This machine was switched off in order, and has not heard the other one since: that one may be the server, alone and unheard. Look at it. If it is off: --yes
refusal-no-licence = there is no backup licence that holds here; espejo licence show says why, and what the vendor needs
refusal-licence-over = the days of the backup licence are used up; ask the vendor for a new one: espejo licence show

## Why the two machines do not talk, and what to do

unmet-nobody-joined = No backup has joined yet.
unmet-nobody-joined-do = Type on this machine: espejo invite backup. It says what to type on the backup.
unmet-no-address = { $address } leads to no machine in this network.
unmet-no-address-do = Is the network cable in? Else write its number into the main's store.toml, or its name into /etc/hosts.
unmet-no-service = { $address } is switched on, but Espejo does not run there.
unmet-no-service-do = Start it there: espejo run (or: systemctl start espejo).
unmet-no-answer = Nothing answers at { $address }.
unmet-broken = The connection to { $address } breaks: { $error }.
unmet-broken-do = It is tried again by itself. Look at the cable and at the firewalls of both machines.
unmet-other-machine = At { $address } answers another machine than was joined.
unmet-other-machine-do = Was the main set up anew? Then type espejo invite backup there, and join here again. Else give it its address back.
unmet-twin = { $address } is talking with another machine that has this one's key: the disk of one is a copy of the other's.
unmet-twin-do = Leave the real backup as it is. On the copied one stop Espejo, remove its home, and join again with a new code.
unmet-turned-away = { $address } does not know this machine, or not any more.
unmet-turned-away-do = Type espejo invite backup there; then here, with Espejo stopped, espejo join CODE { $address } with the code that it gave.
unmet-versions-do = Install the same version on both: they do not understand each other.
unmet-versions-this-do = They do not understand each other: install the version of the other machine on this one.
unmet-versions-other-do = They do not understand each other: install the version of this machine on the other one.
unmet-no-code = The main expects nobody: its code was used, is older than 15 minutes, or was tried three times.
unmet-no-code-do = Ask for a new one there: espejo invite backup
unmet-no-place = The other machine does not have what this one wants to mirror.
unmet-no-place-do = It is tried again by itself. If it stays so, begin both services again.
unmet-other = The other machine refuses, and this version does not know why.

## What a person is asked

question-removals = { $gone } of { $of } files are gone from the source at once.
question-removals-keeping = Keep: the mirror stays whole; nothing is copied until they are back.
question-removals-taking = Take over: the { $gone } files go from the mirror, too.
question-older = { $n ->
    [one] A file is older in the source than in the mirror: { $first }
   *[other] { $n } files are older in the source than in the mirror; the first is { $first }
  }
question-older-keeping = Keep: the mirror stays as it is; nothing is copied until they are newer.
question-older-taking = Take over: the mirror becomes as old. What it alone holds is set aside.
question-emptied = { $n ->
    [one] A file that had content is empty now: { $first }
   *[other] { $n } files that had content are empty now; the first is { $first }
  }
question-emptied-keeping = Keep: the mirror keeps what was in it until there is something new.
question-emptied-taking = Take over: { $n ->
    [one] the file is
   *[other] the { $n } files are
  } empty in the mirror, too.

## What stands against taking over, and what to do

check-witnesses-only-this-link = Terminals still work with the other machine: only this one does not hear it.
check-witnesses-isolated = No terminal reaches this machine: it is cut off itself.
check-twin = Another machine has this one's key: there would be two servers.
check-first-copy = There is no complete copy yet.
check-copy-age = The copy is { $value } behind; { $limit } are allowed.
check-unreadable-files = Files that cannot be read: { $value }.
check-question = A question waits for an answer.
check-disk = The mirror's disk is full.
check-dataset = A dataset is not mirrored any more: { $value }
check-source = The source folder is not there.
check-mirror-disk = The mirror's disk fails.
check-nobody-joined = No backup has joined.
check-other-machine = The other machine is not heard.
remedy-wait = Wait: it goes on by itself.
remedy-give-right = Give Espejo the right to read them.
remedy-answer = Answer it.
remedy-make-room = Make room there.
remedy-look-at-cable = Check this machine's network cable.
remedy-join-again = On the copied machine stop Espejo, remove its home, and join again.
remedy-take-up-again = Mend that; then espejo return --copy with its name.
remedy-bring-source-back = Bring it back.
remedy-look-at-disk = Have the disk looked at.
remedy-invite = Type on the main: espejo invite backup
remedy-look-at-other-machine = See to it that it is switched on and connected.

## Around every screen

head-main = { $store }: { $name }, main server
head-backup = { $store }: { $name }, backup server
head-mirror = { $store }: mirror of { $source }
head-waiting = Espejo
head-watching = { $title } (watching only)
head-first = Espejo
support-desk = Desk { $telephone }
hint-help = Help
hint-copy = Copy
hint-terminals = Terminals
hint-history = History
hint-mute = Mute
hint-more = Down
hint-less = Up
hint-next = Next
hint-out = Out
hint-back = Back
lines = lines
since = Since { $at }.
never = never
percent = { $n } %

## Could this copy take over?

answer-waiting = Waiting for the service.
answer-waiting-for = It has not answered yet. Its home is { $home }.
answer-yes = YES, this copy could take over now.
answer-yes-this = YES, this machine could take over now.
answer-yes-backup = YES, the backup could take over now.
answer-yes-alone = ALARM: { $name } is silent. YES, this machine could take over now.
answer-yes-apart = ALARM: { $name } is not copied. YES, this machine could take over now.
answer-old-apart = ALARM: { $name } is not copied. This machine could take over with an old copy.
answer-no-apart = ALARM: { $name } is not copied. NO, this machine could not take over now.
answer-apart = Since { $at } nothing of what happened there is in the copy.
answer-old = This copy could take over now, but it is old.
answer-old-this = This machine could take over now, but its copy is old.
answer-old-backup = The backup could take over now, but its copy is old.
answer-old-alone = ALARM: { $name } is silent. This machine could take over with an old copy.
answer-no-alone = ALARM: { $name } is silent. NO, this machine could not take over now.
answer-first-copy-alone = ALARM: { $name } is silent, and there is no complete copy of it.
answer-not-met = NO, not yet: { $name } has not been reached.
answer-nobody-joined = Nothing stands behind this machine: no backup has joined it.
answer-bare = Nothing stands behind this machine: { $name } is silent.
answer-bare-serves = This machine serves as before; nothing is copied until { $name } is back.
answer-keep = Leave all terminals on, and keep every paper receipt.
answer-silent = Silent since { $at }: what happened there since then is not in the copy.
answer-no-this = NO, this machine could not take over now.
answer-no-backup = NO, the backup could not take over now.
answer-no = NO, this copy could not take over now.
answer-opening = NO, not yet: the mirror is being opened.
answer-opening-wait = Wait: it goes on by itself.
answer-first-copy = NO, not yet: the first copy is being made.
answer-complete = Copy complete as of { $at }.
answer-proven = Every byte compared { $at }.
answer-not-proven = Not yet compared byte by byte.
answer-so-far = So far { $files ->
    [one] 1 file
   *[other] { $files } files
  }, { $bytes }.
answer-left = At least { $bytes } to go.

## Changes of server

short-not-allowed = not allowed
short-only-main = only the main does that
short-no-store = there is no store here
short-unheard = { $name } does not answer
short-other-older = { $name } runs an older version
short-no-copy = there is no complete copy yet
short-comparing = both sides are being compared
short-not-asked = that is not asked any more
short-no-terminal = that is no terminal
short-only-this-link = { $saw } of { $all } terminals work with it
short-isolated = this machine is cut off
short-nobody-joined = no backup has joined
short-serves = it serves already
short-main-serves = the main serves
short-backup-serves = the backup serves
short-serves-not = the backup does not serve
short-was-server = it was the server, and waits
short-was-no-server = it was not the server last
short-healthy = { $name } is healthy
short-copy-old = the copy is { $age } old; { $limit } allowed
short-question = a question waits for an answer
short-twin = another machine has this one's key
short-nobody-knows = look whether { $name } is off
short-no-licence = there is no backup licence
short-licence-over = the licence is used up
short-copy-differs = parts of the copy are known to be wrong
short-no-sale = no sale was possible in the drill
short-drill-left = something of it is left
short-not-apart = needs [drill] in store.toml
short-only-mirror = a drill needs a mirror
short-drill-given-up = something else was more urgent
short-busy-drill = a drill is being held
short-dump-failed = the dump of { $name } failed
short-too-long-ago = no state is kept that is so old
short-no-server = no POS server program is set
short-server-hindered = { $what } cannot be started
short-server-versions = { $ours } here, { $theirs } there
short-no-room = { $free } free, { $needed } needed
short-busy-reseed = the copy is being taken anew
short-busy-start = a start is running
short-busy-adopt = an adoption is running
short-busy-switch = a change to the backup is running
short-busy-return = a return is running
short-number = nobody said where { $name } goes on
short-turns-already = a change of server is running
short-nothing-runs = nothing runs
short-too-late = the place is given away
short-server-lives = { $name } serves
short-not-level = not level within { $limit }
short-stop-refused = a hook kept the POS server running
short-server-down = the POS server did not answer
short-handed-back = { $name } gave the place back
short-cancelled = cancelled by { $by }
short-dataset-lacks = of { $name } the last changes are not in place
short-dataset-stopped = { $name } is not mirrored
short-no-such-dataset = there is no { $name }
short-goes-on = { $name } has not stopped
short-other = this version does not know why

action-start-backup = Start backup server
action-start-main = Start main server
action-return = Return to main server
action-switch = Change to backup server
action-cancel-return = Cancel the change
action-not-yet = Not yet
turn-not-now = not now: { $why }
turn-not-any-more = not any more: { $why }
turn-start-note = asks once more, Cancel chosen
turn-return-note = nothing is lost; asks once more
turn-cancel-note = possible until step { $step }
turn-asked = asked for
turn-runs = running
turn-serves = { $name } serves already
turn-serves-not = { $name } does not serve
turn-unknown = not known yet
not-yet-note = looks again in { $left }

alarm-down = ALARM: { $name } is down.
alarm-silent = ALARM: { $name } is silent.
alarm-stopped = ALARM: no answer from the POS server on { $name }.
alarm-down-wait = { $name } is down; looks again in { $left }.
alarm-silent-wait = { $name } is silent; looks again in { $left }.
alarm-stopped-wait = No answer from the POS server on { $name }; looks again in { $left }.
alarm-yes = YES, this machine can take over now.
alarm-yes-but = This machine can take over, but: { $why }.
alarm-no = NO, this machine cannot take over now: { $why }.
alarm-since = Silent since { $at }.
alarm-witnesses = { $miss } of { $all } terminals miss it, too.
alarm-since-unknown = Not heard since Espejo began here.
alarm-since-stopped = The machine itself answers. Its POS server has not since { $at }.
alarm-step = { $letter }. { $what }
alarm-step-keep = Leave all terminals on. Keep every paper receipt.
alarm-step-cable = Look at both ends of this machine's network cable, and at the switch.
alarm-step-look = Is { $name } switched on? Wait half a minute: short breaks heal.
alarm-step-screen = Look at the screen of { $name }: it says why, and tries again by itself.
alarm-step-start = Still down? Press { $key }.
alarm-step-still = Still no answer? Press { $key }.
alarm-step-mend = Still down? Mend what is said below, or call the support desk.
alarm-if = If you start now
label-last-copy = Last copy
label-missing = Missing
label-checks = Checks
last-copy = { $at }, { $age } old
missing-nothing = nothing that is known of
missing-since = what { $name } still did after that
missing-since-bytes = what { $name } still did after that, at least { $bytes }
licence-if-started = { $days }, until { $end }
checks-passed = { $passed } of { $all } passed
checks-passed-yours = { $passed } of { $all } passed; one is yours: is { $name } off?
check-stands = { $check }: { $why }

head-backup-serving = { $store }: { $name }, backup server, SERVING
serving-bare = This machine IS the server. Nothing stands behind it.
serving-copying = This machine IS the server. { $name } is being brought level.
serving-level = This machine IS the server. { $name } follows; a return is possible.
serving-follows = This machine IS the server, and { $name } follows it.
serving-since = The server since { $at }.
serving-silent = { $name } silent since { $at }. Have it repaired.
serving-unheard = { $name } was not heard yet. Have it repaired.
label-terminals = Terminals
label-copy = Copy
label-numbers = Numbers
serving-number = { $name } { $first }-{ $end }
serving-number-series = { $name } from { $first } on
alarm-number = { $name } goes on behind { $next } (last copied { $last })
alarm-number-asks = { $name }: you are asked (last copied { $last })
alarm-number-series = { $name } goes on as { $next } (last copied { $last })
serving-numbers = { $all } left out; some may exist on paper
label-pos-server = POS server
terminals-none = No terminal has joined yet. Type espejo invite terminal NAME here, and join with its code there.
terminals-work = { $here } of { $all } terminals work with { $name }
terminals-back = The server has changed: { $n } of { $all } are back.
terminals-all-back = The server has changed, and all are back; the last one after { $slowest }.
terminals-slowest = the last was back after { $slowest }
label-devices = Printers and other devices
column-name = Name
column-main = Main
column-backup = Backup
column-uses = Works with
column-heard = Heard
column-back = Back after
column-address = Address
column-way = Way
column-version = Version
reached = yes
not-reached = NO
reach-unknown = -
terminal-never = never
terminal-waits = waits
terminal-missing = -
terminal-shut = Another program has its port { $port }: what connects there does not come to the server.
terminal-receipt = last receipt { $number }, { $at }
terminals-there = { $here } of { $all } work with { $name }
terminals-there-missing = { $here } of { $all } work with { $name }; missing: { $names }
terminals-here = { $here } of { $all } work here
terminals-missing = { $here } of { $all } work here; missing: { $names }
copy-none = none until { $name } is back
copy-level = { $name } has everything as of { $at }
copy-first = { $name } is given everything
serving-keep-on = Do not switch { $name } off. Leaving this screen is harmless.
serving-keep-open = Do not switch { $name } off, and leave this screen open.
next-repair = Next: start { $name } after repair. Then { $key } opens here.
next-wait = Next: wait until { $name } has everything. Then { $key } opens here.
next-return-later = Next: wait until { $name } has everything. Then press { $key }.
next-return-alone = { $name } has everything, and has its place again in { $left }, by itself. At once: press { $key }.
next-return = Next: press { $key } when the shop can pause for a minute.
next-see = Next: see beside { $key } what stands against the return.

follows-serves = { $name } is the server now.
follows-since = { $name } is the server now, since { $at }.
follows-level = This machine follows it. Complete as of { $at }.
follows-copying = This machine is given everything first. Nothing is lost.
morning-waits = NO server runs: this machine waits for word from { $name }.
morning-why = It was the server when it was switched off, and cannot know whether { $name } is now.
morning-todo = Switch { $name } on: as soon as it is heard, this machine goes on by itself.
morning-else = Can { $name } not be switched on? Press { $key }.

turning-promote = STARTING, step { $step } of { $steps }. { $name } becomes the server.
turning-start = STARTING, step { $step } of { $steps }. { $name } goes on as the server.
turning-adopt = ADOPTING, step { $step } of { $steps }. { $name } is the server, and becomes the main.
turning-switch = CHANGING, step { $step } of { $steps }. { $name } is still the server.
turning-switch-here = CHANGING, step { $step } of { $steps }. This machine is still the server.
turning-change-over = CHANGING, step { $step } of { $steps }. { $name } becomes the server.
turning-return = RETURNING, step { $step } of { $steps }. { $name } is still the server.
turning-return-here = RETURNING, step { $step } of { $steps }. This machine is still the server.
turning-hand-over = RETURNING, step { $step } of { $steps }. { $name } becomes the server.
turning-keep = Do not switch off { $backup } or { $main }.
turning-keep-one = Do not switch off { $name }.
turning-done = done
turning-now = NOW
turning-paused = Terminals pause for { $span } now; { $limit } is the limit.
turning-paused-open = Terminals pause for { $span } now.
turning-fault = A fault before step { $step } leaves { $name } serving.
turning-by = Asked for by { $by } at { $at }, { $span } ago.

result-done = { $what }: done { $at }, took { $took }.
result-failed = { $what }: failed { $at }.
result-refused = { $what }: refused { $at }.

confirm-promote = Start { $name } as the server?
confirm-promote-does = { $name } becomes the server with its copy of { $at }. The diary notes that { $by } asked for it.
confirm-promote-loses = What { $other } still did after that is missing here. It is set aside and listed when { $other } is back.
confirm-promote-nothing = Nothing is known to be missing.
confirm-promote-days = The licence runs from now on: { $days }.
confirm-as-of-last = It starts from the last state of the copy. { $earlier }: from an earlier one, where that is damaged.
confirm-as-of = It starts FROM WHAT THE COPY WAS AT { $at }. What it holds since is set aside first. { $earlier }: earlier, { $later }: later.
confirm-loss = You also accept this: { $why }.
confirm-start = Start { $name } as the server, without word from { $other }?
confirm-start-does = { $name } goes on as the server with what it has. The diary notes that { $by } asked for it.
confirm-start-loses = If { $other } was the server meanwhile, its sales are missing here until it is back; so look at it first.
confirm-return = Return to { $other } as the server?
confirm-return-does = { $other } is given everything first, and { $name } goes on as the server meanwhile. Nothing is lost.
confirm-return-pause = At the end the terminals pause, for { $limit } at the most; else { $name } goes on as the server.
confirm-return-pause-open = At the end the terminals pause until { $other } answers.
confirm-return-by = The diary notes that { $by } asked for it.
confirm-switch = Change to { $other } as the server?
confirm-switch-does = { $other } gets what it still lacks first, and { $name } goes on as the server meanwhile. Nothing is lost.
confirm-cancel = Cancel the change to { $other }?
confirm-cancel-does = { $name } stays the server. What { $other } was given stays there, and the change can be asked for again.
confirm-sum = Look at { $other } first: is it off? Then type { $a } + { $b } =
confirm-sum-wrong = That is not the sum. Type { $a } + { $b } =
confirm-keep = Cancel
confirm-go-start = Start { $name }
confirm-go-loss = Start { $name }, and accept the loss
confirm-go-return = Return to { $other }
confirm-go-switch = Change to { $other }
confirm-keep-return = Let it go on
confirm-go-cancel = Cancel the change

## The copy

label-main = Main
label-backup = Backup
machine-own = { $name }   { $duty }   this machine
machine-heard = { $name }   { $duty }   heard { $ago } ago
machine-lost = { $name }   not heard for { $ago }
machine-unknown = { $name }   not heard yet
label-pos = POS
pos-stopped = not running since { $since }
pos-starting = starting since { $since }
pos-ready = ready since { $since }
pos-failing = does not answer since { $since }
pos-printed = it printed last: { $line }
pos-far-stopped = not running on the server
pos-far-starting = starting on the server
pos-far-ready = ready on the server
pos-far-failing = does not answer on the server
pos-drill = drill here { $at }: started in { $ready }
pos-drill-failed = drill here { $at } failed
pos-no-drill = no drill here yet
label-way = The line
machine-way = { $ms } ms there and back, { $percent } % lost
duty-serving = serving
duty-mirroring = mirroring
duty-waiting = waiting
label-source = Source
label-mirror = Mirror
label-copying = Copying
label-comparing = Comparing
label-events = What happened
label-phase = Now
label-as-of = Complete as of
label-proven = Bytes compared
label-grade = Last step
label-position = Position
phase-opening = being opened
phase-first-copy = first copy
phase-following = following every change
phase-verifying = comparing every byte
phase-stopped = stopped: see what is wrong
copying-nothing = nothing now
copying-file = file { $number }
copying-file-of = file { $number } of { $files }
comparing-all = every byte
compared-of = { $done } of { $total }
behind-not = not behind
behind = behind { $age }
behind-bytes = behind { $age }, { $bytes }
behind-at-least = behind at least { $age }
bytes-in-files = { $files }, { $bytes }
files = { $n ->
    [one] 1 file
   *[other] { $n } files
  }
changed = changed { $at }
grade-exact-as-of = exact as of { $at }
grade-none = no copy
and-more = {" "}and { $n } more
note-unreadable = cannot be read: { $names }
note-unsteady = never still since { $at }: not one instant
note-plain = { $n ->
    [one] a database can only be copied as a plain file: { $first }
   *[other] { $n } databases can only be copied as plain files
  }
note-special = { $n ->
    [one] 1 name is
   *[other] { $n } names are
  } no file, folder or link, and not copied
names-unreadable = cannot be read, so not copied:
names-plain = databases that can only be copied as plain files, at an instant that nothing proves:
names-special = no file, folder or link, so not copied:
nothing-to-do = Nothing to do.

label-history = What was done here, the newest first
history-nothing = Nothing yet: nobody has compared the copy or taken it anew.
history-when = { $start } - { $end }
history-for = for { $span }

## What can be done

action-answer = Answer the question
action-answer-note = asked { $at }; shows what each answer does
action-compare = Compare every byte
compare-last = last done { $at }; changes nothing
compare-never = never done yet; changes nothing
watches-only = not now: this screen only watches
compare-not-yet = not now: there is no complete copy yet
compare-stopped = not now: the copy has stopped
compare-asked = asked for
compare-runs = running
action-drill = Drill: try the start
drill-last = last passed { $at }; nobody notices
drill-last-failed = failed { $at }
drill-never = never held; nobody notices one
drill-runs = running
compare-refused = refused: { $why }
compare-failed = failed: { $why }
action-mirror = Mirror a folder
action-mirror-note = asks for two folders

## Dialogs

dialog-keys = { $next } moves, { $press } presses, { $leave } closes.
quit-title = The mirror stops when this screen is left.
quit-text = Changes in the source are not copied any more until Espejo is started again. What is copied stays, and the next start goes on from there.
quit-text-store = Nothing is mirrored until Espejo is started again on { $name }. What is copied stays, and the next start goes on from there. As a service it outlives every screen: espejo unit --install
quit-stay = Stay
quit-leave = Stop the mirror
question-keep = Keep the mirror as it is
question-take = Take it over

## First page

welcome-what = Espejo keeps a mirror of a folder, such as the data of a POS server, always ready to be used.
welcome-how = Every change is copied at once, and every byte can be proven equal.
welcome-safe = The folder that is mirrored is only read, never written.
welcome-begin = Nothing is set up here yet. Begin with:
form-about = The source is only read. The mirror is made to be as the source is: choose a folder that is empty or not there yet.
form-source-note = the folder that is to be mirrored
form-dest-note = the folder that becomes its mirror
form-source = SOURCE
form-dest = DEST
form-missing-names = Name both folders.
form-missing-difference = The mirror cannot be the source itself: name another folder.
form-command = The same as a command
form-begin = Begin
form-back = Back

## Help

help-keys = Keys
help-signs = Signs
help-words = Words
about-mirror = The first sentence says whether the copy could take over now. Below it stands what is wrong, if anything, and what to do.
about-copy = Everything about the copy, and what happened last.
about-history = What was done on purpose: when, for how long, by whom, and how it ended. All of it, for years: espejo history.
about-terminals = Each POS terminal: which of the two machines it reaches, which one it works with, and how soon it was back after the server changed. The missing ones come first.
about-confirm = A question with two answers. The one that changes nothing comes first. Where a sum is asked for, digits type it.
about-alarm = The server is missed. The first sentence says whether this machine could take over now, and below it stands what to do first.
about-turn = A change of server runs. It goes on whatever becomes of this screen.
about-first = Nothing is set up in this home yet.
about-form = Type the two folders, then go to the button that begins.
sign-ok = all is well
sign-busy = it goes on by itself: wait
sign-warn = look at it today
sign-alarm = look at it now
word-behind = behind
word-behind-means = age of the oldest change that the mirror does not have yet
intent-help = this help
intent-leave = out of here; changes nothing
intent-redraw = draw the screen anew
intent-page-copy = everything about the copy
intent-page-terminals = the POS terminals: what each reaches, and how soon it was back
intent-page-history = what was done, by whom, and how it ended
intent-answer = answer what is asked
intent-earlier = start from an earlier state of the copy
intent-later = start from a later one
intent-drill = drill: start the POS server on a copy, apart from the network
intent-compare = compare every byte of source and mirror
intent-start-server = start the server on this machine; asks once more
intent-return-to-main = return to the main server; asks once more
intent-change-to-backup = change to the backup server as planned; asks once more
intent-cancel-return = cancel the change that runs; asks once more
intent-mute = silence the alarm until something else is wrong
intent-not-yet = wait half a minute, then look again
intent-up = a line up
intent-down = a line down
intent-page-up = a screen up
intent-page-down = a screen down
intent-top = to the beginning
intent-bottom = to the end
intent-next = to the next button or field
intent-previous = to the one before
intent-press = press what is in focus
intent-power = Practice shop: cut the main's power, or switch it on
intent-cable = Practice shop: pull the main's cable, or put it in
intent-own-cable = Practice shop: pull this till's cable, or put it in
intent-break = Practice shop: pull the main's cable for 5 seconds
intent-freeze = Practice shop: freeze the POS server, or let it go on
intent-fill-disk = Practice shop: fill the mirror's disk, or free it
intent-days-pass = Practice shop: two days of the licence pass
intent-lesson = Practice shop: begin the lesson, or end it
intent-mirror-a-folder = mirror a folder into another

## Faults in a keymap

keymap-not-toml = not TOML: { $error }
keymap-unknown-place = there is no place [{ $place }]. Places are { $places }.
keymap-not-a-table = [{ $place }] must be a table of keys: "f5" = "help".
keymap-unknown-key = there is no key "{ $key }". Keys are written "5", "f5", "enter", "pagedown", "ctrl-l".
keymap-unknown-intent = "{ $word }" means nothing in [{ $place }]. What does: { $intents }.
keymap-no-way-out = no key leads out. Bind one to "leave" in [everywhere].
keymap-no-press = no key presses a button in [{ $place }]. Bind one to "press".

## Faults in a store's configuration

config-not-toml = not TOML: { $text }.
config-not-utf8 = not UTF-8 from here on. Save the file as UTF-8.
config-unknown-key = there is no such key here. There are: { $words }.
config-unknown-key-near = there is no such key here. Write { $text } if that is meant.
config-missing = must be given: there is no default.
config-none-of = needs one of these: { $words }.
config-empty = must not be empty.
config-not-one-of = "{ $text }" means nothing here. What does: { $words }.
config-out-of-range = must lie between { $least } and { $most }.
config-not-beside = cannot stand beside { $text }. Take one of the two out.
config-needs = means nothing without { $text }. Add that, or take this out.
config-twice = is the same as in line { $text }. Let the two differ.
config-shorter-than = must not be shorter than { $text }.
config-longer-than = must not be longer than { $text }. Set both, or make this one shorter.
config-port-taken = is the port of { $text }. Choose another one.
config-no-text = must be text on one line, and not empty.
config-no-span = "{ $text }" is no span of time. Write for example "500ms", "3s", "10m" or "1h 30m".
config-no-size = "{ $text }" is no size. Write for example "200kB", "11.5MB" or "2GiB".
config-no-address = "{ $text }" is no address. Write host and port, for example "192.168.1.10:7410" or "SERVIDOR:7410".
config-only-this-machine = cannot be reached from the other machine. Write the address that this machine has in the shop's network.
config-no-url = "{ $text }" cannot be asked for. Write for example "http://127.0.0.1:9000/health", without encryption.
config-no-unit = "{ $text }" is no unit. Write its name with its ending, for example "pos.service".
config-no-pin = is no PIN as it is kept. espejo pin prints it.
config-no-public-key = is no public key. One begins with "k4.public." and has 43 letters behind it; the vendor has it in a file that ends in .pub.
config-no-glob = is no pattern for names of files: { $text }. Write for example "*.tmp", or "log/*.old" for a path from the dataset's folder.
config-no-pattern = is no regular expression: { $text }. Write for example '(\d+)' in single quotes.
config-no-group = does not say which part is the number. Put that part in brackets, for example '(\d+)'.
config-kind-of-files = is a kind of files. Say it in [[dataset.file]] with a match; a dataset itself has a kind only when it is "dump".
config-kind-of-dataset = is a kind of dataset. Give the database a [[dataset]] of its own, with kind = "dump", dump and restore.
config-no-dataset-name = cannot be a dataset's name. Leave out slashes, braces, a point at the beginning and blanks around it.
config-folder-relative = must be the whole path on the main, for example "/srv/pos".
config-folder-leads-out = must not contain "..": write the path that is meant.
config-folder-whole-disk = would be the whole disk. Name the folder that holds the data.
config-folder-home = would be the home itself, where other things are kept. Name a folder in it, for example "RUNDIR".
config-not-inside = must be a path inside the dataset, written from the dataset's folder, for example "POS-Q.Seq".
config-not-inside-near = must be written from the dataset's folder: "{ $text }".
config-overlaps = lies inside the folder of dataset "{ $text }", or around it. Mirror one folder, or two beside each other.
config-no-dataset = no dataset is called "{ $text }".
config-no-dataset-near = no dataset is called "{ $text }". Write "{ $near }" if that is meant.
config-no-value = does not say where the number goes. Put {"{value}"} there.
config-excluded = is left out by exclude, "{ $text }", and would not be on the backup. Mend one of the two.
config-all-excluded = would leave out everything. Take it out.
config-wrong-kind = is a file of kind "{ $found }" by [[dataset.file]], and "{ $wanted }" is needed here. Mend one of the two.
config-wanted-text = must be text in quotes.
config-wanted-number = must be a whole number without quotes, for example 10.
config-wanted-span = must be a span of time in quotes, for example "3s" or "10m".
config-wanted-size = must be a size in quotes, for example "2GiB".
config-wanted-command = must be a list of words, the program first, for example ["/opt/pos/server", "--port", "9000"].
config-wanted-texts = must be a list of texts in quotes, for example ["*.tmp"].
config-wanted-numbers = must be a list of numbers, for example [9000].
config-wanted-table = must be a table, with its own keys below it or in braces.
config-wanted-tables = must be a table with its header in double brackets, once for each.
config-wanted-record = must be "line", {"{ fixed = 64 }"}, {"{ prefix = \"u32le\" }"} or {"{ count_at = 0, fixed = 64 }"}.
config-wanted-on-start = must be {"{ gap = 50 }"}, {"{ series = \"B\" }"} or "ask".
config-wanted-yes = must be true or false, without quotes.
config-wanted-sound = must be true, false or a list of words, the program first.
config-f-s-doc-no-text = This is no text of two lines in UTF-8 or Windows-1252.
config-f-s-doc-no-main = Line 1 is empty. It is the name of the store and its main.
config-f-s-doc-no-backup = Line 2 is empty. It is the name of the backup.
config-f-s-doc-same = Both lines are the same. Line 1 is the main, line 2 the backup.
config-f-s-doc-more = Line { $line } is one too many. There are two: the main, the backup.

# The command line.
cli-file = { $number } { $file } { $percent } %
cli-no-service = No service runs at { $home }. Start one: espejo mirror SOURCE DEST
cli-no-service-here = No service runs at { $home }. Start it: espejo run (for good: espejo unit --install)
cli-no-home = there is no home folder; name one with --home DIR
cli-home-busy = a service runs already in { $path }; stop it, or name another home with --home DIR
cli-identity-strange = { $path }: this file holds no key and certificate. Bring it back from a copy; else take the home away, and set up or join anew.
cli-run-address = { $address }: { $error }; is another program using it, and is it this machine's own? A disk that was copied from another machine has that one's. See store.toml
cli-open-other-data = { $path }: there are other data in this folder; to make it the mirror all the same, add --adopt-dest: what the source has too is kept, the rest is set aside
cli-open-busy = { $path }: another espejo writes this mirror
cli-open-disk-root = { $path }: this is where a disk begins, so that the journal cannot be kept beside it on the same disk; name a folder in it instead
refusal-serves = This machine is the server already.
refusal-main-serves = The main is the server: there is nothing to return from.
refusal-nothing-to-adopt = The main is the server: there is nothing to adopt. First change to the backup: espejo switch
refusal-only-in-place-of-main = A machine to be the main is invited by the backup that serves in its place, and this machine is not that.
refusal-backup-serves = The backup is the server already: there is nothing to change to.
refusal-compare-first = Parts of the copy were found to be wrong; they are copied again. Compare it once more first: espejo verify
refusal-serves-not = This machine is not the server.
refusal-was-server = This machine was the server, and waits to hear whether it is still: espejo start
refusal-was-no-server = This machine was not the server last: nothing is to be resumed.
refusal-healthy = The other machine is well. Nothing needs to be started.
refusal-copy-old = The copy is { $age } old; { $limit } are allowed. If it must do: --accept-loss
refusal-question = A question about the copy is not answered. If it must do as it is: --accept-loss
refusal-nobody-knows = Nobody can tell whether the other machine is dead or only the cable is cut. Look at it. If it is dead: --yes
refusal-no-terminals = store.toml has no [terminals]: say there which ports they use, for example: ports = [9000]
refusal-no-terminal-name = "{ $name }" is no name for a terminal: it must have a letter or digit, and be no machine's
refusal-terminal-there = { $name } has joined already. If that is another machine than before: espejo invite --revoke { $name }
refusal-only-this-link = { $saw } of { $all } terminals still work with the other machine: only this one does not hear it. Check this machine's network cable.
refusal-isolated = No terminal reaches this machine, of { $all } that did: it is cut off itself. Check this machine's network cable.
refusal-only-main = only the main server does that: type it there
refusal-not-allowed = Your user may not do that; it is for the role: { $needs }. Roles belong to groups, in [roles] of store.toml; over SSH, or to rise: --pin
refusal-wrong-pin = This PIN opens nothing. Wrong ones take longer and longer.
refusal-no-store = this service mirrors one folder; a store begins with espejo init
refusal-by-hand = end espejo mirror, remove the folder of the copy, and begin again
refusal-unheard = the other machine is not heard
refusal-other-older = The other machine runs an older version of Espejo, which does not know this: update it first
refusal-no-answer = The other machine was lost before it answered: espejo status shows whether it does it; else ask again
refusal-all-there-is = the other machine is not heard: this copy is all there is
refusal-no-copy = there is no complete copy yet
refusal-comparing = both sides are being compared; wait for the end of that
refusal-not-asked = question { $question } is not asked any more
refusal-no-such-machine = no machine is called { $name }; the backup is called { $backup }
refusal-number-asked = Say behind which number { $name } goes on, so that none is given twice: the last one in the copy is { $last }. For example --counter { $name }={ $proposed }
refusal-number-given = { $name } cannot go on behind { $number }: { $last } was given out already, and no number is to be given twice
refusal-no-such-number = No number is called { $name } in store.toml (see espejo counters)
refusal-number-not-set = { $name } could not be set, so the POS server is not started: { $why }. Set it by hand, then: espejo counters --set
refusal-no-number-waits = No number waits to be set by hand
refusal-nobody-joined = no backup has joined
refusal-system = { $error }
refusal-no-command = this is no command: { $error }
refusal-copy-differs = Parts of the copy were found to be wrong; they are copied again while the other machine is heard. Compare it once more: espejo verify. If it must do: --accept-loss
refusal-dataset-lacks = { $name } is not mirrored any more: { $why }. What it acknowledged last may not be in place. If it must do: --accept-loss
refusal-dataset-stopped = { $name } is not mirrored any more: { $why }. Mend that, then: espejo return --copy { $name }
refusal-no-such-dataset = No dataset is called { $name }: see store.toml.
refusal-goes-on = { $name } has not stopped on either machine: nothing is to be taken up again.
refusal-question-first = A question about the copy waits: answer it first
refusal-no-sale = The POS server started, and the sale that was tried in the drill was not possible
refusal-no-sale-tried = The POS server started, and a sale could not be tried: { $error }
refusal-drill-left = The POS server answered, but the database { $name } that was read back for the drill could not be removed: { $why }. Remove it by hand
refusal-not-apart = This system does not let a POS server be started apart from the network, or it is a unit of the system: write [drill] into store.toml, with a command and "ready" for another port
refusal-only-mirror = A drill is held on the machine that mirrors: this one does not now
refusal-drill-given-up = The drill was given up: something else was more urgent
refusal-not-restored = The database { $name } could not be read back from its dump: { $why }. It is tried again every 10 s; the POS server starts then
refusal-not-dumped = The database { $name } could not be dumped, and nothing of it is to be lost: { $why }. Mend that, and try again
refusal-not-aside = What { $name } alone held on the machine that was the server before could not be dumped, so that it can be set aside: { $why }. Mend that: it is tried again by itself. Where the database can never be read: espejo rescue give-up { $name }
refusal-nothing-to-give-up = Nothing of { $name } waits to be set aside: nothing needs to be given up
refusal-too-long-ago = No state of the copy is kept that is so old; the oldest is that of { $oldest }: espejo history --copies
refusal-no-earlier-state = No earlier state of the copy is kept
refusal-no-server = No POS server program is set: write [server] with its command into store.toml of the main
refusal-server-hindered = { $what }. { $todo }
refusal-server-down = { $what } { $todo }
refusal-server-versions = The POS server program is version { $ours } here and { $theirs } on the other machine: install the same one
refusal-no-room = { $free } are free on the disk; { $needed } are needed. Make room
refusal-busy = Another operation runs: { $what }. Wait for its end
refusal-turns-already = A change of server is under way on this machine: wait for its end
refusal-nothing-runs = Nothing runs that could be cancelled.
refusal-too-late = It is too late to cancel that: the place is given away.
refusal-server-lives = The other machine was heard meanwhile: it is the server. Nothing was changed
refusal-not-level = The other machine could not be brought level within { $limit }. This machine is the server still; look at the line between the two, then try again
refusal-stop-refused = The hook before_stop does not let the POS server be stopped. This machine is the server still
refusal-handed-back = The POS server of the other machine did not begin to answer; that machine has given the place back. Look at its log/server.log
refusal-cancelled = Cancelled by { $by }.
cli-service-crashed = The service has crashed. Start it again, and give the home's log folder to the support desk.
cli-service-ended = The service has ended.
check-well = [OK]
check-fault = [!!]
check-main = Main:
check-backup = Backup:
check-faults = { $n ->
    [one] one thing is to be mended
   *[other] { $n } things are to be mended
}
check-far-unheard = The other machine cannot be asked now; run this there, too.
check-folder = { $name } can be used: { $folder }
check-folder-wrong = { $name } cannot be used: { $folder }: { $error }
check-folder-wrong-do = Mount the disk, mend the path in store.toml, or give the service the right to it.
check-rights = every file can be read
check-rights-wrong = { $n ->
    [one] a file cannot be read: { $first }
   *[other] { $n } files cannot be read; the first is { $first }
  }
check-rights-wrong-do = Give the service the right to read them, or name them in exclude in store.toml.
check-room = { $free } are free
check-room-wrong = { $free } are free; { $needed } should be
check-room-wrong-do = Make room on the disk that holds the home.
check-name = { $address } has an address
check-name-wrong = { $address } has no address: { $error }
check-name-wrong-do = Write the number of that machine into store.toml, or its name into /etc/hosts.
check-connection = the two machines talk
check-connection-wrong = { $address } is not connected
check-connection-wrong-do = Does the service run there, has that machine joined, and do the firewalls let port 7410 through?
check-heartbeat = heartbeats come
check-heartbeat-wrong = no heartbeats come to port { $port }
check-heartbeat-wrong-do = Let UDP through to that port in the firewalls of both machines.
check-clocks = the clocks agree
check-clocks-wrong = the clocks are { $apart } apart
check-clocks-wrong-do = Set them, best with a time service: times in the diary and on screen follow them.
check-versions = both run version { $ours }
check-versions-wrong = this machine runs version { $ours }, the other one { $theirs }
check-versions-wrong-do = Install the same version on both.
check-start = { $what } can be started
check-device = reaches { $name } at { $address }
check-device-wrong = does not reach { $name } at { $address }: { $error }
check-device-wrong-do = Switch it on, or look at its cable. If only one machine misses it, it cannot print there in the night the server changes.
check-start-wrong = { $what } cannot be started as the POS server
check-start-enabled = { $what } is started by the system at boot, also where the POS server must not run
check-start-not-there-do = There is no such program on this machine. Install it, or mend [server] in store.toml.
check-start-not-executable-do = Give the service the right to execute it (chmod +x).
check-start-enabled-do = Type systemctl disable { $what }: Espejo starts it where it is to run.
check-start-no-systemd-do = There is no systemd here. Write command instead of unit into [server] in store.toml.
check-server = the POS server's files are mirrored
check-server-wrong = the POS server uses what is not mirrored: { $files }
check-server-wrong-do = Add the folder as a dataset in store.toml, or move it into one.
cli-strange = The service gave an answer that this version does not know.
cli-init-there = A store is set up in { $home } already. Name another home with --home DIR, or edit its store.toml.
cli-init-missing = { $option } is missing
cli-init-ask-store = What is the store called?
cli-init-ask-main = The address of the main server (this machine), such as 192.168.1.10:7410?
cli-init-ask-backup = The address of the backup server, such as 192.168.1.13:7410?
cli-init-ask-data = The folder of the POS data on this machine?
cli-init-address = "{ $text }" is no address; write a name or number of a machine, and a port if it is not 7410: 192.168.1.10:7410
cli-init-no-data = { $path }: { $error }
cli-init-data-no-folder = { $path }: this is no folder; name the folder that it is in
cli-init-data-name = { $path }: this name cannot be written into store.toml; give the folder another one
cli-init-done =
    { $store } is set up. Its settings: { $path }
    Next, on this machine:
      espejo run              (or as a service: espejo unit --install)
      espejo invite backup    (prints the code for the other machine)
cli-invite =
    { $code }   good for { $minutes } minutes and three tries
    On the other machine:
      espejo join { $code } { $address }
cli-invite-terminal =
    { $code }   good for { $minutes } minutes and three tries
    On the terminal { $name }:
      espejo join { $code } { $address }
cli-revoke =
    { $name } is forgotten, and turned away from now on. A new code lets it, or another one, join: espejo invite backup
    (a terminal: espejo invite terminal NAME)
cli-join-other-store = This home belongs to { $ours }, and that is the main of { $theirs }. Name another home with --home DIR.
cli-join-no-code = a code has six letters and digits, such as K7F-3QX
cli-join-wrong-code = The code is wrong. It bears three tries; then ask for a new one on the main: espejo invite backup
cli-join-unreadable = The main sent settings that this version cannot read. Install the same version on both.
cli-join-firewall = Does its firewall let this port through, TCP and UDP?
cli-join-done =
    This machine has joined { $store }.
    Next, on this machine:
      espejo run              (or as a service: espejo unit --install)
cli-join-terminal =
    This terminal is { $name } of { $store }.
    Its settings: { $path }
    Next, on this machine:
      espejo terminal         (or as a service: espejo unit --install)
cli-terminal = { $store }: { $name } runs
cli-terminal-home = { $home } is the home of a POS terminal; this is asked of the two machines. How the terminal stands: espejo status
figure-ago = { $ago } ago
figure-way = { $ms } ms
cli-no-agent = No agent runs at { $home }. Start it: espejo terminal (for good: espejo unit --install)
cli-till-reached = reaches { $name }: heard { $ago }, { $way } there and back
cli-till-not-reached = does not reach { $name }: heard { $ago }
cli-terminal-name = terminal.toml calls it { $name }; to both machines it is { $known }, as it was invited.
cli-terminal-nothing = no terminal has joined a store in { $path }; ask for a code on the main (espejo invite terminal NAME), then: espejo join CODE ADDRESS
cli-terminal-is-machine = { $path } is the home of a main or backup, where the terminal runs inside: espejo run
cli-terminal-unreadable = { $path }: { $error }. Join the store again: espejo join CODE ADDRESS
till-works = { $name } is the server. Work goes on.
till-waits = Please wait: { $name } is about to be the server. Leave the till on.
till-unreached = { $name } does not answer. Leave the till on, and keep every paper receipt.
till-message = { $by }: { $text }
till-revoked = { $name } does not let this terminal in any more. If it belongs here, ask there for a code: espejo invite terminal NAME
till-twin = Another terminal with this one's key is at work: one of the two disks is a copy. Join this one again: espejo invite terminal NAME
till-refused = { $name } cannot speak with this version. Install the same version on all machines.
till-other-machine = Another machine answers at the address of { $name }. Has it been replaced? Then join again: espejo invite terminal NAME
till-shut = Port { $port } of this terminal is not free: { $why }. Something else uses it; the till cannot reach the server through it.
till-bad-configuration = The store's settings that came cannot be read by this version. Those from before are used.
till-unsaved = What this terminal must know again after a restart cannot be saved: { $why }. Is its disk full?
cli-message = It is on its way to all terminals.
cli-licence-store = Store     { $store }
cli-licence-machine = Machine   { $machine }
cli-licence-vendor = Vendor    { $key }
cli-licence-no-vendor = Vendor    none is named in store.toml: days are counted, and keep nobody back
cli-licence-terms-activation = Terms     { $days } for each time that the backup is started; a completed return gives them back
cli-licence-terms-total = Terms     { $days } for all times together that the backup is started
cli-licence-is-missing = State     missing: the backup server cannot be started
cli-licence-is-ready = State     ready: { $left }; they run only while the backup serves
cli-licence-is-running = State     running: { $left } left, until { $end }
cli-licence-is-expired = State     expired: no days are left
cli-licence-ledger = Ledger    { $n ->
    [0] the backup has never served
    [one] the backup has served once
   *[other] the backup has served { $n } times
  }
cli-licence-activation = { $from } - { $until }: { $used }
cli-licence-open = not returned yet
cli-licence-unread = The licence that is installed cannot be read: { $error }
cli-licence-no-vendor-key = vendor_key in store.toml is no key that the vendor can have given out: copy it anew.
cli-licence-on-backup =
    The backup licence belongs on the backup. Its machine, which a vendor must know: { $machine }
    Type there: espejo licence show
cli-licence-no-backup = The backup licence belongs on the backup, and none has joined yet. Type here: espejo invite backup
cli-licence-none-needed = store.toml names no vendor_key in [licence]: the days are counted without a licence, and none is needed.
cli-licence-not-main = The backup licence belongs on the backup: type it there.
cli-licence-installed = The licence is installed.
cli-licence-key-there = { $path }: there is such a file already, and a key is never overwritten. Name another one.
cli-licence-no-key-made = The system gave no random numbers for a key. Try again.
cli-licence-keys =
    { $secret }   is the private key: keep it where nobody else can read it
    { $public }   is the public one
    In the store.toml of every store that needs your licence:
    {"  [licence]"}
      vendor_key = "{ $key }"
cli-licence-no-secret = { $path }: this is no private key; make one with espejo licence keygen --out FILE
cli-licence-no-machine = a machine is named by 64 letters and digits, as espejo licence show prints them there
cli-unit-not-alone = Only the agent of a terminal can be hardened, run by the owner of its home, and only where terminal.toml starts and writes nothing of the shop's: no run, on_change, tell, settings, and no command for last_receipt.
cli-terminal-too-strict = The unit of this agent is hardened, and terminal.toml has it start or write what is the shop's, which it may not. Write the unit anew: espejo unit --install && systemctl daemon-reload && systemctl restart espejo
cli-unit-name = the paths of the program and of its home must be plain text to be written into a unit
cli-unit-done =
    Written: { $path }
    Next:
      systemctl daemon-reload
      systemctl enable --now espejo
cli-run = { $store }: { $name } runs at { $address }
cli-run-again = The settings have changed; beginning again with them.
cli-run-nothing = no store is set up in { $path }; begin with: espejo init (on the main) or espejo join CODE ADDRESS (on the backup)
cli-differed = Both sides differed. What differed is copied again; compare once more: espejo verify
cli-maintenance-on = Maintenance for { $length }: nobody is called, and nothing is done by itself; it ends by itself, or with espejo maintenance off.
cli-maintenance-off = No maintenance: people are called again.
cli-maintenance-meant = It was meant that { $percent } % of the data of { $dataset } changed at { $at }; the state before is kept for a day all the same.
banner-maintenance = Maintenance until { $until }: nobody is called.
banner-maintenance-do = Asked for by { $by }. It ends by itself; espejo maintenance off ends it now.
cli-copy-taken-up = { $name } is taken up again; espejo status shows how it goes.
cli-return-cancelled = The return is cancelled. This shop goes on as before.
cli-not-agreed = Nothing was done.
cli-no-plan = That does not concern this machine as it is now.
cli-step-done = { $number } of { $steps }  { $step }: done
cli-agree = Type yes to do that:
plan-checks = Checks: { $passed } of { $all } passed
plan-check = { $check }: { $why }
plan-copy-earlier = From the copy as it was: { $at }
plan-copy = Last copy: { $at }
plan-no-copy = There is no copy
plan-lost = What came in the last { $span } may be missing ({ $bytes } known)
plan-lost-at-least = What came in the last { $span } or more may be missing ({ $bytes } known)
plan-lost-earlier = What came in the last { $span } is not in it: what this machine has of that is set aside first, the rest may be missing ({ $bytes } known)
plan-nothing-lost = Nothing is lost
plan-number = { $name }: the last one in the copy is { $last }, it goes on behind { $next }; { $first } to { $next } may have been given out
plan-number-series = { $name }: the last one in the copy is { $last }, it goes on in series { $next }
plan-number-asked = { $name }: the last one in the copy is { $last }; say where it goes on: --counter { $name }={ $next }
number-unknown = unknown
counter-stands = { $name }: { $last } ({ $at })
counter-unread = { $name }: it cannot be read in the copy: { $why }. The last one known is { $last }
counter-not-here = { $name }: it is read in the copy, on the machine that mirrors
counter-set = { $at }: { $name } went on behind { $next } (epoch { $epoch }). The last one in the copy was { $last }; { $first } to { $end } may have been given out
counter-set-series = { $at }: { $name } went on in series { $next } (epoch { $epoch }). The last one in the copy was { $last }; { $first } and what follows may have been given out
counter-set-series-only = { $at }: { $name } went on in series { $next } (epoch { $epoch }). Nobody could read the last one in the copy
counter-recovered = { $first } to { $end }: the other machine had given them out; what it held of them was set aside
counter-twice = { $first } to { $end }: given out by the main, and behind where the backup went on: TWICE, as far as the backup came
counter-lost = { $first } to { $end }: a terminal has seen them confirmed, and no data hold them
counter-never = { $first } to { $end }: never given out
counter-set-only = { $at }: { $name } went on behind { $next } (epoch { $epoch }). The last one in the copy was { $last }
counters-none = No numbers are set that must not repeat: [[counter]] in store.toml
certificate-title = Numbers of { $store }
certificate-what = The server of this shop failed, and its backup went on. So that no number was given twice, the backup left out those that the failed server may have given out after the last copy. These are:
certificate-nothing = No numbers were left out: by this record the backup has not started in place of a failed server.
certificate-end = Written on { $at } by espejo { $version } from its record of that start.
certificate-unheard = { $name } keeps this record, and is not heard. Print it there, or here when it is heard: espejo counters --certificate
certificate-sign = Name, date: ____________________________
cli-number-twice = --counter { $name } is given twice: name each number once.
cli-numbers-set = Noted. The POS server starts.
confirm-number = { $name } goes on behind { $next }.
confirm-series = { $name } goes on in series { $next }.
plan-licence = Backup licence until { $at }
cli-promoted = This machine is the server now. Nothing stands behind it until the main is back.
cli-pin = PIN:
cli-pin-new = New PIN:
cli-pin-again = Once more:
cli-pin-short = a PIN has { $n } letters or digits at the least
cli-pin-differs = the two were not the same
cli-pin-where = This line belongs under [roles] in the store.toml of the machine that serves:
cli-not-let-in = { $home }: your user may not look into it, and no service there lets you in
cli-adopted = The machine that serves is the main from now on, and the other one its backup. store.toml says so (home).
cli-switched = The backup is the server now. The main mirrors it; espejo return gives everything back.
cli-switched-not = The change is cancelled. This shop goes on as before.
cli-returned = The main is the server again.
demo-opens = The practice shop opens; all of it runs on this machine, and goes when you leave...
demo-seed = The practice shop opens; to have this run again: --seed { $seed }
demo-sells = The shop sells: { $main } serves, { $backup } mirrors.
demo-kept = The practice shop is kept in { $path }.
demo-no-terminal = the practice shop needs a terminal for its screen; without one, play a script: espejo demo --script FILE
demo-confirmed = confirmed { $n }
demo-in-the-data = in the data { $n }
demo-set-aside = set aside { $n }
demo-missing = missing { $n }
demo-double = double { $n }
demo-numbers-twice = numbers twice { $n }
demo-not-well = Orders are missing or double, or numbers were given twice:
demo-interrupted = The practice shop was interrupted.
demo-cut-power = cut main's power
demo-bring-back = switch main on
demo-cut-cable = pull its cable
demo-join-cable = plug its cable in
demo-cut-own-cable = pull this till's
demo-join-own-cable = plug this till's in
demo-break = main's out 5 s
demo-freeze = freeze POS
demo-thaw = thaw POS
demo-fill-disk = fill mirror's disk
demo-free-disk = free mirror's disk
demo-days-pass = 2 days pass
demo-lesson = lesson
demo-lesson-ends = end lesson
lesson-at = Lesson { $number } of { $all }. { $text }
lesson-cut-power = All is well: { $main } serves, this till holds its mirror, four terminals sell. Press { $power } to cut the power of { $main }.
lesson-alarm = Nobody sells now. The terminals miss { $main }, too; when they have said so, in a few seconds, this till may take over.
lesson-start = Nothing happens by itself. Press { $start }, read what is asked, and say yes: Tab, then Enter.
lesson-follow = The POS server starts on this till, and the terminals come to it by themselves.
lesson-bring-back = They sell again. The days of the backup licence run, see above; { $days } lets two pass. { $main } is repaired: press { $power }.
lesson-level = { $main } sees that it is not the server any more. It takes over what was sold, and sells nothing.
lesson-return = { $main } has everything. Press { $return }, and say yes: the shop stands still for a moment, and { $main } serves again.
lesson-over = All is well again, and the last line says what became of every order. Cause what you like now; { $lesson } ends the lesson.
demo-lies-on-main = What is missing lies on { $name }'s disk: when it comes back it is set aside and listed.
demo-crashed = the service of { $name } has ended by itself ({ $status }); see { $log }
demo-tell-off = { $name } is off
demo-tell-duty = { $name } { $is ->
    [serving] serves
    [mirroring] mirrors
   *[other] waits to hear from the other machine
  }
demo-tell-server = { $name }: the POS server { $is ->
    [ready] is ready
    [starting] starts
    [failing] does not answer
   *[other] has stopped
  }
demo-tell-verdict = { $name }: { $is ->
    [healthy] the server is well
    [server-stopped] the POS program of the server does not answer
    [main-down] the server is down
    [only-this-link] only this machine does not reach the server
    [isolated] this machine is cut off
   *[other] the server is silent, and nobody can tell why
  }
demo-tell-terminals = { $name }: { $is } terminals work with it
demo-tell-licence = { $name }: the days of the backup licence run
demo-script-in-vain = it did not come within { $seconds } s
demo-script-not-so = it is { $is }
demo-script-nothing-there = there is nothing there to do that to
demo-script-no-such-thing = "{ $word }" is nothing that a script can do. It can: cut-power, bring-back, cut-cable, join-cable, break, freeze, thaw, fill-disk, free-disk, pass, promote, return, switch, adopt, drill, expect, end
demo-script-no-such-condition = "{ $word }" is nothing to wait for. There are: alarm, offered, ready, in-step, locked
demo-script-no-such-expectation = "{ $word }" is nothing to expect. There are: duty, verdict, licence, terminals, alarm, missing, set-aside, double, numbers-twice
demo-script-wanted = "{ $word }" should be one of: { $wanted }
demo-script-too-many = "{ $word }" is one word too many
demo-script-backwards = this time is over when the line is reached: write the lines in the order of their times
demo-script-after-the-end = nothing comes after the end: leave it out
cli-copies-not-yet = The earlier states are not deleted yet: the copy is busy, or waits for room. They go as soon as it goes on: espejo history --copies
cli-copies-forgotten = The earlier states of the copy on this machine are deleted; none can be stepped back to.
cli-copies-none = no earlier state is kept
cli-as-of = The copy is stepped back to what it was at { $at }. What it holds since then is set aside first: espejo rescue list
cli-drilled = The POS server would start here: it answered after { $ready }. All that was taken down again; no licence day was spent.
cli-started = This machine is the server again.
cli-sum = To go on, type the sum of { $a } and { $b }:
cli-not-begun = The service did not begin it.
cli-yes = yes
cli-history-owner = Only root and the owner of { $home } read the whole diary. What was done last is on the screen: espejo, then 7.
cli-history-none = No diary is kept at { $home }: nothing has run there yet.
cli-history-empty = No operation yet.
cli-history-running = { $kind }: running for { $took } ({ $by })
cli-history-refused = { $kind }: refused ({ $by })
cli-history-ended = { $kind }: { $state } { $end }, in { $took } ({ $by })
cli-history-by = { $what } ({ $by })
cli-history-pruned = { $rows ->
    [one] 1 old event was
   *[other] { $rows } old events were
  } taken out of the diary.
cli-history-whole = The diary is as it was written: { $n ->
    [one] 1 row
   *[other] { $n } rows
  }.
cli-history-broken = Row { $row } of the diary is not as it was written, or rows before it are missing: somebody has changed the file. Keep a copy of it for the support desk.
cli-nothing-here = Nothing was ever set up or mirrored in { $home }.
cli-rescue-none = Nothing was set aside.
cli-rescue-no-such = Nothing that was set aside is called { $name }. All of it: espejo rescue list
cli-rescue-two = Two datasets have something called { $name }. Name the dataset, too: DATASET/{ $name }
cli-rescue-line = { $name }  { $time }  { $dataset }: { $files ->
    [one] 1 file
   *[other] { $files } files
  }, { $size }
cli-rescue-nothing = { $file }, { $size }: the mirror has nothing of that name
cli-rescue-same = { $file }, { $size }: the mirror holds the same
cli-rescue-differs = { $file }, { $size }: differs from the mirror at byte { $at }
cli-rescue-other = { $file }, { $size }: the mirror holds something of another kind
cli-rescue-lacking = { $n ->
    [one] the mirror, as it is now, lacks record { $numbers }
   *[other] the mirror, as it is now, lacks { $n } records: { $numbers }
  }
cli-rescue-rows = { $n ->
    [one] 1 row
   *[other] { $n } rows
  } of { $table } that the database, as it is now, lacks (key: { $key }; columns: { $columns })
cli-rescue-rows-more = { $n } rows of { $table } and more that the database, as it is now, lacks (key: { $key }; columns: { $columns })
cli-rescue-no-table = The rows of { $table } cannot all be read: { $why }
cli-rescue-over = Only the first { $n } rows of { $table } were written: there are more
cli-rescue-no-rows = The rows of { $file } cannot be read: { $why }
cli-rescue-records = { $n ->
    [one] { $n } record that this machine alone held
   *[other] { $n } records that this machine alone held
  }
cli-rescue-against-start = Compared with what the other machine held when it began to serve:
cli-rescue-against-now = Nobody knows what the other machine held when it began to serve. Compared with what it held when this one came back:
cli-rescue-new = { $file }, { $size }: this machine alone had it
cli-rescue-changed = { $file }, { $size }: the other machine had { $there }; the same up to byte { $at }
cli-rescue-changed-now = { $file }, { $size }: the other machine had { $there }; differs from the mirror at byte { $at }
cli-rescue-changed-somewhere = { $file }, { $size }: the other machine had { $there }, which differ
cli-rescue-gone = { $file }: not here any more; the other machine had { $there }
cli-rescue-not-empty = { $path } is not empty; name a new folder
cli-rescue-exported = { $name } is copied to { $path }. It is still kept here, too.
cli-rescue-ask = Delete it for good? Type yes:
cli-rescue-not = Nothing was deleted. On a terminal it is asked; a script says --yes.
cli-rescue-give-up = What { $name } alone holds on the machine that was the server before is overwritten, and nobody can read it again.
cli-rescue-give-up-ask = Give it up for good? Type yes:
cli-rescue-give-up-not = Nothing was given up. On a terminal it is asked; a script says --yes.
cli-rescue-given-up = What { $name } alone held is given up. It goes on within 10 seconds: espejo status
cli-rescue-busy = The copy is being taken anew, and things are being set aside; wait for the end of that.
cli-rescue-deleted = { $name } is deleted.
cli-reseed-ask = The copy cannot be used until it is whole again. Throw it away and take it anew? Type yes:
cli-reseed-not = Nothing was done. On a terminal it is asked; a script says --yes.
cli-reseeding-begins = Taking the copy anew.
cli-reseeding = Taking the copy anew: { $bar } { $percent } % of { $size }
cli-reseeded = The copy was taken anew: { $size }.
cli-comparing-begins = Comparing every byte of both sides.
cli-comparing = Comparing: { $bar } { $percent } % of { $size } on both sides
cli-how-to-answer-store = To answer: open the screen with "espejo".
cli-how-to-answer = To answer: open the screen with "espejo", or begin again with --accept-removals.
cli-once = Done: { $files ->
        [one] { $files } file
       *[other] { $files } files
    }, { $size }, every byte compared, in { $took }.
cli-once-question = Nothing of that was taken over. If it is meant, begin again with --accept-removals.
cli-once-unreadable = { $file } could not be read and is not in the mirror as it is. Give this user the right to read it, then begin again.
cli-status-folders = { $source } is mirrored in { $dest }
cli-status-copy = Copy of { $time }, position { $position }, behind { $behind }
cli-status-dataset = { $name }: { $grade }, { $files ->
        [one] { $files } file
       *[other] { $files } files
    }, { $size }
cli-status-server = { $state ->
    [ready] The POS server answers.
    [starting] The POS server was started, and does not answer yet.
    [failing] The POS server runs, and does not answer.
   *[stopped] The POS server does not run.
}
cli-status-licence = { $left } of the backup licence are left, until { $at }
cli-status-plain = copied as a plain file: { $file }
cli-status-unreadable = cannot be read: { $file }

# What help says, by verb and argument.
help-espejo = Keeps a mirror of a shop's server on another machine, ready to take over. Without a verb: the screen.
help-espejo-examples =
    Examples:
      espejo                                   the screen
      espejo mirror /srv/pos /backup/pos       mirror a folder, with the screen
      espejo status --json                     how it stands, for a script
help-espejo-home = Where this machine keeps what is its own [default: /var/lib/espejo for root, else the state folder of the user]
help-espejo-with_pin = Ask for a PIN: over SSH, or to do what another role may ($ESPEJO_PIN in scripts)
help-espejo-lang = The language: en, es, pt-BR, de, fr or fi; what has no sentence in it is said in English [default: from the environment]
help-espejo-color = When colour is used: auto, always or never
help-espejo-watch = The screen, without its actions
help-demo = A pretend shop to practise on: two machines, cashiers, and everything that can go wrong, on this machine alone
help-demo-examples =
    Examples:
      espejo demo                       the operator's screen, and keys that cut the power
      espejo demo --script story.txt    plays a story without a screen, and prints it
help-demo-dir = Where the shop is set up; it is kept there [default: a folder that is removed at the end]
help-demo-seed = What the cashiers' choices begin with, so that a run can be had again
help-demo-script = Play this story instead of opening the screen
help-demo-pos = The POS server of the practice shop
help-demo-pos-data = The folder of its data
help-demo-pos-port = Where it listens, on this machine
help-demo-pos-host = At which address of this machine
help-demo-pos-name = What it is called in its answers
help-demo-caretaker = Clear the practice shop away when it was killed; nobody types this
help-demo-caretaker-folder = Where the practice shop is
help-demo-caretaker-goes = That folder goes with it
help-init = Set up a store on its main server
help-init-examples =
    Examples:
      espejo init --store Centro --main 192.168.1.10 --backup 192.168.1.13 --data /srv/pos
      espejo init --from /srv/pos/F_S.DOC --data /srv/pos
help-init-store = What people call the store
help-init-main = The address of this machine, by which the other one reaches it; port 7410 where none is named
help-init-backup = The address of the machine that takes over
help-init-data = The folder of the POS data on this machine
help-init-from = Take the names of both machines from an f_s.doc, or from the one in this folder
help-invite = Print a code with which another machine may join, or turn one away that had joined
help-invite-examples =
    Examples:
      espejo invite backup
      espejo invite main                 (on the backup that serves: a machine to replace the main)
      espejo invite terminal CAJA-1
      espejo invite --revoke backup
help-invite-revoke = Forget the machine of this name that has joined, and turn it away from now on
help-invite-backup = The machine that takes over
help-invite-terminal = A POS terminal, by its name
help-invite-terminal-name = What the terminal is called, such as CAJA-1
help-terminal = The agent of a POS terminal: joins its programs to whoever serves. Runs until it is stopped
help-terminal-examples =
    Examples:
      espejo terminal
      espejo --home /srv/agent terminal     with another home
help-message = Write a line to the people at all terminals
help-message-examples =
    Examples:
      espejo message "Tea at four"
help-message-text = The line
help-invite-main = A new machine in the place of the main, where the backup serves: it receives everything, and waits
help-join = Join a store with a code that its main printed
help-join-examples =
    Examples:
      espejo join K7F-3QX 192.168.1.10
      espejo join K7F-3QX 192.168.1.10 --data /srv/mirror     a mirror on another disk
help-join-code = The code, such as K7F-3QX
help-join-address = The address of the main; port 7410 where none is named
help-join-data = Where the mirror goes on this machine
help-run = The service of this machine: mirrors, watches, serves. Outlives every screen
help-run-examples =
    Examples:
      espejo run
      espejo unit --install     has the system start it
help-check = Examine both machines: folders, room, names, connections, clocks, versions; say what to mend
help-check-examples =
    Examples:
      espejo check
      espejo check --json     for a script
help-check-json = Print one JSON list
help-unit = Print the systemd unit for this home
help-unit-examples =
    Examples:
      espejo unit                          prints it
      espejo unit --install                writes it for systemd
      espejo unit --install --hardened     on a till whose agent starts nothing
help-unit-hardened = For the agent of a terminal: it may do only what it alone needs
help-unit-install = Write it to /etc/systemd/system/espejo.service
help-completions = Print what a shell needs to complete what is typed
help-completions-shell = For which shell
help-completions-examples =
    Examples:
      espejo completions bash > /etc/bash_completion.d/espejo
      espejo completions fish > ~/.config/fish/completions/espejo.fish
help-man = Print the manual as man reads it
help-man-dir = Write a page for each verb into this folder instead
help-man-examples =
    Examples:
      espejo man | man -l -
      espejo man --dir /usr/local/share/man/man1
help-maintenance = No alarms, and nothing by itself, for a while
help-maintenance-examples =
    Examples:
      espejo maintenance on               for two hours
      espejo maintenance on --for 30m
      espejo maintenance off
help-maintenance-on = It begins, on both machines
help-maintenance-on-length = It ends by itself after so long
help-maintenance-off = It ends, on both machines, and what was changed until then was meant (MIR-208)
help-pin = Print a PIN as it is kept, for [roles] in store.toml; it is typed, or read from standard input
help-pin-examples =
    Examples:
      espejo pin operator     asks for it, and prints a line for store.toml
help-pin-of = Whose it is
help-licence = The backup licence: what is installed and left, a new one; and what a vendor issues them with
help-licence-examples =
    Examples:
      espejo licence show
      espejo licence install centro.licence
help-licence-show = What is installed, how many days are left, and what a vendor must know to issue one
help-licence-show-json = As one JSON object
help-licence-install = Install what a vendor has issued for this machine; what does not hold here is refused, and changes nothing
help-licence-install-file = The file with it
help-licence-keygen = For the vendor: make a pair of keys
help-licence-keygen-out = Where the private one goes; the public one goes beside it, with .pub behind its name
help-licence-issue = For the vendor: print a signed licence
help-licence-issue-examples =
    Examples:
      espejo licence keygen --out vendor.key
      espejo licence issue --key vendor.key --store Centro --machine ID > centro.licence
help-licence-issue-key = The file with the private key
help-licence-issue-store = The name of the store, as its store.toml has it
help-licence-issue-machine = The backup's machine, as espejo licence show prints it there
help-licence-issue-days = How many days the backup may serve
help-licence-issue-per = Whether they are of each activation, so that a completed return gives them back, or of all together: activation or total
help-licence-issue-stop_after = The server is to be stopped in order within so many hours after the end; without it, it is only said that the days are over
help-mirror = Mirror one folder into another, in one process, with no set-up
help-mirror-examples =
    Examples:
      espejo mirror /srv/pos /backup/pos                 with the screen
      espejo mirror /srv/pos /backup/pos --no-screen     a line a file
      espejo mirror /srv/pos /backup/pos --once          copy what differs, compare, end
help-mirror-source = The folder that is mirrored; it may be a mounted share of another machine
help-mirror-dest = The folder that becomes its mirror; what belongs to it is kept beside it, in a hidden folder
help-mirror-interval = At the latest after so long is looked for what the system does not tell of
help-mirror-once = Copy what differs, compare every byte, print a summary, end
help-mirror-no_screen = Print a line a file and a line an event instead of the screen
help-mirror-adopt_dest = Take a folder that holds other data: what the source has too is kept, the rest is set aside
help-mirror-accept_removals = Take over without a question that most files are gone, that files are empty, or older than in the mirror
help-mirror-max_rate = Bytes a second between the halves at the most, for example 200kB or 11.5MB
help-promote = Start the backup server: this machine serves from now on
help-promote-examples =
    Examples:
      espejo promote --plan                                 what would be examined, done and lost
      espejo promote --yes --reason "main has no power"
      espejo promote --as-of 12:03                          from the copy as it was then
      espejo promote --yes --counter receipt=1100
help-promote-yes = The main is dead: a person has looked
help-promote-as_of = Start from what the copy was then: 12:03, or 2026-11-14 12:03; what it holds since is set aside first
help-promote-unlock = Start though terminals say that the other machine lives, or that this one is cut off; only the support may, with a reason
help-promote-accept_loss = An old copy, or one that waits for an answer, is good enough
help-promote-counter = Behind which number this counter goes on, for one that is asked about; may be said again
help-promote-reason = Why, for the record
help-promote-plan = Show what would be done and lost, and do nothing
help-promote-json = The plan as one JSON object
help-switch = Change to the backup server, as planned: nothing is lost; from either machine
help-switch-examples =
    Examples:
      espejo switch --plan
      espejo switch --reason "an update"
      espejo return                          gives the main its place again
help-switch-yes = Ask nothing
help-switch-cancel = Cancel the change that runs
help-switch-reason = Why, for the record
help-switch-plan = Show what would be done, and do nothing
help-switch-json = The plan as one JSON object
help-adopt = Make the backup that serves the main, for good; from either machine. The other one becomes its backup
help-adopt-examples =
    Examples:
      espejo adopt --plan
      espejo adopt --reason "the old main is scrap"
help-adopt-yes = Ask nothing
help-adopt-reason = Why, for the record
help-adopt-plan = Show what would be done, and do nothing
help-adopt-json = The plan as one JSON object
help-return = Return to the main server, from either machine
help-return-examples =
    Examples:
      espejo return --plan                       whether it could be done
      espejo return --reason "main repaired"
      espejo return --cancel
      espejo return --copy images                takes up a dataset that is not mirrored any more
help-return-yes = Ask nothing
help-return-copy = Take up again the copy of this dataset, which has stopped
help-return-cancel = Cancel the return that runs
help-return-reason = Why, for the record
help-return-plan = Show what would be done, and do nothing
help-return-json = The plan as one JSON object
help-start = Go on as the server after a cold start that nobody could confirm
help-start-examples =
    Examples:
      espejo start --yes
help-start-yes = The other machine does not serve: a person has looked
help-counters = Numbers that must not repeat: where they stand in the copy, and which ones may have been given out
help-counters-examples =
    Examples:
      espejo counters
      espejo counters --certificate     a page for the tax office
      espejo counters --set             they were set by hand: the POS server may start
help-counters-certificate = A page that says which numbers were left out, and why
help-counters-set = The number that could not be set was set by hand: the POS server may start
help-counters-json = As one JSON object
help-hold-files = Hold files for the service; nobody types this
help-history = The diary: operations with start, end, duration, who and why; also where no service runs
help-history-examples =
    Examples:
      espejo history
      espejo history --events     all that happened
      espejo history --copies     the states that espejo promote --as-of can start from
      espejo history --check      whether somebody has changed the diary
      espejo history --forget     delete those states: they may hold card data
help-history-check = Only whether it is as it was written; 1 where it is not
help-history-copies = The states that the copy here can be stepped back to: espejo promote --as-of
help-history-events = All that it holds: alarms, answers, machines that joined, the service's beginnings and ends
help-history-forget = Delete the earlier states of the copy on this machine, kept ones included; needs the support's role
help-history-json = As one JSON object
help-rescue = What one side alone held, and was set aside
help-rescue-examples =
    Examples:
      espejo rescue list
      espejo rescue show 20261114-104207-5
      espejo rescue export 20261114-104207-5 /media/stick/rescue
help-rescue-list = All that was set aside: name, when, dataset, files, size
help-rescue-list-json = As one JSON list
help-rescue-show = Its files, each with its size and the first byte that differs from the mirror; of queues the lines that it lacks
help-rescue-show-name = Its name, as list says it
help-rescue-show-records = Print those lines, too; that somebody did is in the diary
help-rescue-show-json = As one JSON object
help-rescue-export = Copy it to another folder, with times and rights
help-rescue-export-name = Its name, as list says it
help-rescue-export-dir = A new folder, or an empty one
help-rescue-give-up = Go on without what a database here alone holds and can never be set aside (DMP-103; asks first)
help-rescue-give-up-name = The dataset
help-rescue-give-up-yes = Do not ask
help-rescue-delete = Delete it for good (asks first)
help-rescue-delete-name = Its name, as list says it
help-rescue-delete-yes = Do not ask
help-reseed = Throw the copy away and take it anew; what it alone holds is set aside first
help-reseed-examples =
    Examples:
      espejo reseed           asks first
      espejo reseed --yes
help-reseed-yes = Do not ask
help-status = How it stands
help-status-examples =
    Examples:
      espejo status
      espejo status --json      for a script; the exit code says how it is, too
      espejo status --watch     a line for each change
help-status-json = As one JSON object
help-status-watch = Again after every change
help-drill = Start the POS server on a copy of the mirror, apart from the network, to see that it starts; spends no licence day
help-drill-examples =
    Examples:
      espejo drill
      espejo drill --json     for a script, each month
help-drill-json = As one JSON object
help-rehearse = Hold a rehearsal for the service; nobody types this
help-rehearse-place = A folder of its own
help-rehearse-copy = A dataset, and where it is copied
help-rehearse-apart = Apart from the rest of the machine
help-verify = Compare every byte of both sides by hash; what differs is copied again
help-verify-examples =
    Examples:
      espejo verify
      espejo verify --json     for a script
help-verify-json = As one JSON object
