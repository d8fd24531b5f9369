"""Any number of threads use one queue."""

from pathlib import Path

from rocksq import Closed, StartPosition
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import Caller

THREADS, ITEMS = 4, 500


def produce(queue: Queue, name: int) -> None:
    for number in range(ITEMS):
        queue.push([f"{name} {number}".encode()], timeout=None)


def consume(queue: Queue) -> list[bytes]:
    taken: list[bytes] = []
    try:
        while True:
            taken += queue.pop(3, timeout=None)
    except Closed:
        return taken


def in_order(items: list[bytes], name: int) -> bool:
    numbers = [int(number) for who, number in map(bytes.split, items) if int(who) == name]
    return numbers == sorted(numbers)


def test_every_item_goes_to_one_consumer_in_order(path: Path) -> None:
    queue = Queue(path, max_elements=50)
    consumers = [Caller(lambda: consume(queue)) for _ in range(THREADS)]
    producers = [Caller(lambda name=name: produce(queue, name)) for name in range(THREADS)]  # type: ignore[misc]
    for producer in producers:
        producer.outcome()
    while queue.len:
        consumers[0].join(0.001)
    for consumer in consumers:
        consumer.until_asleep()
    queue.close()
    taken = [consumer.outcome() for consumer in consumers]
    assert sum(map(len, taken)) == len({item for items in taken for item in items})
    assert sum(map(len, taken)) == THREADS * ITEMS
    assert all(in_order(items, name) for items in taken for name in range(THREADS))


def test_threads_under_one_label_share_the_items(mpmc: MpmcQueue) -> None:
    def read() -> list[bytes]:
        items: list[bytes] = []
        while some := mpmc.next("label", StartPosition.Oldest, 3)[0]:
            items += some
        return items

    mpmc.add([str(number).encode() for number in range(2000)])
    read_items = [
        item for call in [Caller(read) for _ in range(THREADS)] for item in call.outcome()
    ]
    assert sorted(map(int, read_items)) == list(range(2000))


def test_closing_while_others_work_raises_nothing_but_closed(path: Path) -> None:
    queue = Queue(path)

    def work() -> int:
        pushed = 0
        try:
            while True:
                queue.push([b"x"])
                pushed += 1
        except Closed:
            return pushed

    workers = [Caller(work) for _ in range(THREADS)]
    while queue.len < 100:
        pass
    queue.close()
    pushed = sum(worker.outcome() for worker in workers)
    assert Queue(path).len == pushed
