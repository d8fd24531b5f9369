"""Random programs that use what rocksq 0.3.0 offers, and use it as it was meant.

They leave out what 0.3.0 gets wrong and what would send the rest of a program down another path:
`pop(0)`, a response that nobody reads or that is read twice, a label that reads before the first
item and then a reopen. Each of these has a program of its own in `details.py` or
`test_faults.py`.
"""

from random import Random

from interpreters import Program

LABELS = ["audit", "mail", "", "zählwerk"]


def program(seed: int) -> Program:
    """A program of one of the four kinds, the same for the same seed."""
    random = Random(seed)
    writer = random.choice([Fifo, Mpmc])(random, later=random.random() < 0.5)
    for _ in range(random.randrange(10, 60)):
        writer.step()
    writer.finish()
    return writer.lines


class Fifo:
    """Programs with a persistent queue."""

    name = "PersistentQueueWithCapacity"
    sizes = ("disk_size", "payload_size")

    def __init__(self, random: Random, *, later: bool) -> None:
        self.random = random
        self.later = later
        self.lines: Program = []
        self.pushed = 0
        self.open()

    def step(self) -> None:
        steps = [self.push] * 5 + [self.take] * 5 + [self.look] * 3 + [self.reopen]
        self.random.choice(steps)()

    def open(self) -> None:
        """Open the queue, mostly with the face that it had."""
        if self.random.random() < 0.2:
            self.later = not self.later
        module = "nonblocking" if self.later else "blocking"
        self.lines.append(f"q = {module}.{self.name}({self.arguments()})")

    def arguments(self) -> str:
        capacity = self.random.choice(["", ", 5", ", 50", ", max_elements=20"])
        inflight = self.random.choice(["", ", max_inflight_ops=3"]) if self.later else ""
        return f"path{capacity}{inflight}"

    def reopen(self) -> None:
        self.lines.append("q = None")
        if self.random.random() < 0.1:
            self.lines.append(self.remove())
            self.forget()
        self.open()

    def remove(self) -> str:
        return "rocksq.remove_queue(path)"

    def forget(self) -> None:
        """The queue was removed."""

    def push(self) -> None:
        # A nonblocking push onto a full queue fails in another way: `differences.py` has it.
        items = self.items()
        if self.later:
            self.lines.append(f"items = {items}")
            self.lines.append("room = q.len.get().len + len(items) <= 5")
            self.lines.append(f"room and q.push(items{self.no_gil()}).get().data")
        else:
            self.lines.append(f"q.push({items}{self.no_gil()})")

    def take(self) -> None:
        count = self.random.choice(["", "1", "2", "7", "max_elements=3", "1000"])
        no_gil = self.no_gil() if count else ""
        self.lines.append(self.shown(f"q.pop({count}{no_gil})"))

    def look(self) -> None:
        member = self.random.choice(["len", "payload_size", "disk_size", "is_empty"])
        if member == "is_empty":
            member = "len" if self.later else member
        self.lines.append(self.size(member))

    def size(self, member: str) -> str:
        if member == "disk_size":
            return f"q.{member}.get().size > 0" if self.later else f"q.{member} > 0"
        return self.shown(f"q.{member}")

    def shown(self, expression: str) -> str:
        """The expression, and for a nonblocking queue all that its response gives."""
        if not self.later:
            return expression
        return f"(lambda v: (v.data, v.len, v.size))({expression}.get())"

    def items(self) -> str:
        """A list of items, most of them different from all others."""
        count = self.random.choice([0, 1, 1, 1, 2, 3, 6])
        return "[" + ", ".join(self.item() for _ in range(count)) + "]"

    def item(self) -> str:
        self.pushed += 1
        number = self.pushed
        return self.random.choice(
            [
                f"b'{number}'",
                f"bytearray(b'{number}')",
                f"memoryview(b'{number}')",
                "b''",
                f"b'{number} ' * {self.random.randrange(1, 40_000)}",
            ]
        )

    def no_gil(self) -> str:
        return self.random.choice(["", ", True", ", False", ", no_gil=True", ", no_gil=False"])

    def finish(self) -> None:
        """Look at what the queue holds in the end, after a last reopening."""
        self.reopen()
        self.lines += [self.size("len"), self.size("payload_size"), self.shown("q.pop(1000)")]


class Mpmc(Fifo):
    """Programs with an MPMC queue whose items do not expire."""

    name = "MpmcQueue"

    def __init__(self, random: Random, *, later: bool) -> None:
        self.has_items = False
        super().__init__(random, later=later)

    def arguments(self) -> str:
        ttl = self.random.choice(["0", "3600", "ttl=3600"])
        inflight = self.random.choice(["", ", max_inflight_ops=3"]) if self.later else ""
        return f"path, {ttl}{inflight}"

    def remove(self) -> str:
        return "rocksq.remove_mpmc_queue(path)"

    def forget(self) -> None:
        self.has_items = False

    def reopen(self) -> None:
        if self.has_items:
            super().reopen()

    def push(self) -> None:
        self.has_items = True
        self.lines.append(self.shown(f"q.add([{self.item()}])"))
        self.lines.append(self.shown(f"q.add({self.items()}{self.no_gil()})"))

    def take(self) -> None:
        label = self.random.choice(LABELS)
        start = self.random.choice(["Oldest", "Newest", "start_position=Newest"])
        count = self.random.choice(["", ", max_elements=1", ", max_elements=5", ", max_elements=0"])
        self.lines.append(self.shown(f"q.next({label!r}, {start}{count})"))

    def look(self) -> None:
        look = self.random.choice(["len", "disk_size", "labels", "remove_label"])
        if look == "remove_label":
            self.lines.append(self.shown(f"q.remove_label({self.random.choice(LABELS)!r})"))
        elif look == "labels":
            got = "q.labels.get().labels" if self.later else "q.labels"
            self.lines.append(f"sorted({got})")
        else:
            self.lines.append(self.size(look))

    def shown(self, expression: str) -> str:
        if not self.later:
            return expression
        fields = "(v.data, v.labels, v.removed_label, v.len, v.size)"
        return f"(lambda v: {fields})({expression}.get())"

    def finish(self) -> None:
        self.reopen()
        self.lines.append(self.size("len"))
        for label in [*LABELS, "new"]:
            self.lines.append(self.shown(f"q.next({label!r}, Oldest, 1000)"))
