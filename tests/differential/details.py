"""Small programs, each about one detail: arguments, defaults, names, types, errors.

A program ends where 0.3.0 would die or hang, or where its state is no longer what it should be.
"""

from textwrap import dedent

from interpreters import Program

INDEX = "exec('class Two:\\n    def __index__(self): return 2')"


def _programs(text: str) -> dict[str, Program]:
    """Programs from text: a name with a colon, lines, an empty line."""
    programs = {}
    for paragraph in dedent(text).strip().split("\n\n"):
        name, *lines = paragraph.splitlines()
        programs[name.strip(" :")] = [line.strip() for line in lines]
    return programs


MODULES = _programs(
    """
    names of the package:
        sorted(name for name in rocksq.__all__ if 'blocking' not in name and name in \
            ('StartPosition', 'version', 'remove_queue', 'remove_mpmc_queue'))
        rocksq.version.__name__, rocksq.version.__text_signature__, rocksq.version.__module__
        rocksq.remove_queue.__name__, rocksq.remove_queue.__text_signature__
        rocksq.remove_mpmc_queue.__text_signature__
        type(rocksq.version()), rocksq.version().count('.')
        rocksq.version()
        rocksq.blocking

    ways to import:
        from rocksq import blocking, nonblocking, StartPosition, version
        from rocksq import remove_queue, remove_mpmc_queue
        import rocksq.blocking as b, rocksq.nonblocking as n
        from rocksq.blocking import PersistentQueueWithCapacity, MpmcQueue
        from rocksq.nonblocking import PersistentQueueWithCapacity, MpmcQueue
        from rocksq.nonblocking import Response, MpmcResponse
        from rocksq.nonblocking import ResponseVariant, MpmcResponseVariant
        b is blocking, n is nonblocking
        b.PersistentQueueWithCapacity is n.PersistentQueueWithCapacity
        from rocksq.blocking import *
        from rocksq.nonblocking import *
        from rocksq import *
        from rocksq.rocksq import version
        rocksq.rocksq_blocking.MpmcQueue is blocking.MpmcQueue

    names of the classes:
        blocking.MpmcQueue.__name__, blocking.MpmcQueue.__qualname__
        nonblocking.Response.__name__, nonblocking.MpmcResponseVariant.__qualname__
        blocking.MpmcQueue.__module__
        type(blocking.MpmcQueue).__name__
        class Mine(blocking.MpmcQueue): pass
        nonblocking.Response()
        nonblocking.ResponseVariant()
        nonblocking.MpmcResponse()

    members of the classes:
        {'push', 'pop', 'is_empty', 'len', 'disk_size', 'payload_size'} - \
            set(dir(blocking.PersistentQueueWithCapacity))
        {'add', 'next', 'is_empty', 'len', 'disk_size', 'labels', 'remove_label'} - \
            set(dir(blocking.MpmcQueue))
        {'push', 'pop', 'len', 'disk_size', 'payload_size', 'inflight_ops'} - \
            set(dir(nonblocking.PersistentQueueWithCapacity))
        {'add', 'next', 'len', 'disk_size', 'labels', 'remove_label', 'inflight_ops'} - \
            set(dir(nonblocking.MpmcQueue))
        {'is_ready', 'get', 'try_get'} - set(dir(nonblocking.Response))
        {'is_ready', 'get', 'try_get'} - set(dir(nonblocking.MpmcResponse))
        {'data', 'len', 'size'} - set(dir(nonblocking.ResponseVariant))
        {'data', 'labels', 'removed_label', 'len', 'size'} - \
            set(dir(nonblocking.MpmcResponseVariant))
        hasattr(blocking.MpmcQueue, 'payload_size')
        hasattr(nonblocking.PersistentQueueWithCapacity, 'is_empty')
        hasattr(nonblocking.MpmcQueue, 'is_empty')
        type(blocking.PersistentQueueWithCapacity.len).__name__
        type(blocking.PersistentQueueWithCapacity.push).__name__
        type(nonblocking.MpmcQueue.labels).__name__
        type(nonblocking.MpmcQueue.inflight_ops).__name__
        type(nonblocking.Response.is_ready).__name__
        type(nonblocking.ResponseVariant.data).__name__

    start positions:
        Oldest, Newest, str(Oldest), f'{Newest}', [Oldest], f'{Oldest!r:>30}'
        int(Oldest), int(Newest)
        Oldest == 0, Oldest == 1, Oldest == Newest, Oldest != Newest, Newest == Newest
        Oldest == 'Oldest', Oldest == None, Oldest != None, Oldest == False, Newest == True
        Oldest in (0, 1), Newest in [Oldest], [Oldest, Newest].index(Newest)
        bool(Oldest), bool(Newest), Oldest or 5
        Oldest is rocksq.StartPosition.Oldest
        isinstance(Oldest, rocksq.StartPosition), type(Oldest) is rocksq.StartPosition
        Oldest.Newest
        rocksq.StartPosition.__name__, rocksq.StartPosition.__qualname__
        rocksq.StartPosition.__module__
        hash(Oldest) == hash(rocksq.StartPosition.Oldest)
        __import__('pickle').loads(__import__('pickle').dumps(Newest))
        __import__('copy').deepcopy(Newest)
        Oldest < Newest
        isinstance(Oldest, int)
        Oldest.name
        Newest.value
        list(rocksq.StartPosition)
        rocksq.StartPosition(1)
    """
)

FIFO = _programs(
    f"""
    items:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([])
        q.push([b''])
        q.len, q.payload_size, q.is_empty
        q.pop()
        q.push([bytearray(b'x'), memoryview(b'y'), memoryview(b'abc')[1:]])
        q.push([__import__('array').array('B', [1, 2])])
        q.push([type('Bytes', (bytes,), dict())(b'z')])
        q.push([b'a' * 5_000_000, b'', b'b'])
        q.len, q.payload_size
        [bytes(item[:5]) for item in q.pop(100)]
        type(q.pop(5)), q.pop(5)

    every argument of push:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'], True)
        q.push([b'a'], False)
        q.push([b'a'], no_gil=False)
        q.push(items=[b'a'], no_gil=True)
        q.push(no_gil=True, items=[b'a'])
        q.push([b'a'], 1)
        q.push([b'a'], None)
        q.push([b'a'], no_gil='yes')
        q.push()
        q.push([b'a'], True, 3)
        q.push([b'a'], foo=3)
        q.push([b'a'], True, no_gil=True)
        q.push(None)
        q.push(5)
        q.push(b'a')
        q.push('a')
        q.len

    other iterables than a list:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push((b'a',))
        q.push(iter([b'a']))
        q.push({{b'a'}})
        q.push(type('List', (list,), dict())([b'l']))

    a list of numbers as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([[1, 2, 3]])

    a tuple of numbers as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([(1, 2, 3)])

    a range as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([range(3)])

    an array of larger numbers as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([__import__('array').array('H', [1, 2])])
        q.pop()

    an array of numbers that are no bytes as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([__import__('array').array('d', [1])])

    an array of ctypes as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([(__import__('ctypes').c_ubyte * 2)(1, 2)])
        q.pop()

    a view with gaps as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([memoryview(b'abcdef')[::2]])

    a string as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'fine', 'text'])
        q.len

    None as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([None])

    a number as an item:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([5])

    every argument of pop:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([str(i).encode() for i in range(30)])
        {INDEX}
        q.pop()
        q.pop(2)
        q.pop(2, False)
        q.pop(max_elements=2, no_gil=False)
        q.pop(no_gil=False)
        q.pop(Two())
        q.pop(True)
        q.pop(1.0)
        q.pop(None)
        q.pop('1')
        q.pop(b'1')
        q.pop(-1)
        q.pop(2 ** 64)
        q.pop(-2 ** 70)
        q.pop(2, 1)
        q.pop(2, None)
        q.pop(2, no_gil='x')
        q.pop(2, False, 1)
        q.pop(2, foo=1)
        q.len
        q.pop(2 ** 20)
        q.pop(2 ** 20)

    pop of nothing:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a', b'b'])
        q.pop(0)

    pop of false:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a', b'b'])
        q.pop(False)

    pop of 2**50 items:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a', b'b'])
        q.pop(2 ** 50)

    pop of 2**60 items:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a', b'b'])
        q.pop(2 ** 60)

    a full queue:
        q = blocking.PersistentQueueWithCapacity(path, 2)
        q.push([b'a', b'b', b'c'])
        q.push([b'a', b'b'])
        q.push([b'c'])
        q.push([])
        exec('try:\\n    q.push([b"c"])\\nexcept RuntimeError as error:\\n    e = error')
        e.args, str(e), 'Queue is full' in e.args[0], isinstance(e, Exception)
        repr(e)
        q.len, q.payload_size
        q.pop(5)

    a queue that holds nothing at all:
        q = blocking.PersistentQueueWithCapacity(path, 0)

    opening with a smaller capacity:
        q = blocking.PersistentQueueWithCapacity(path, 5)
        q.push([b'a', b'b', b'c'])
        q = None
        q = blocking.PersistentQueueWithCapacity(path, 2)
        q.len
        q.push([b'd'])
        q.pop(2)
        q.push([b'd'])
        q.pop(5)

    every argument of the constructor:
        {INDEX}
        q = blocking.PersistentQueueWithCapacity(path=path, max_elements=3)
        q = None
        q = blocking.PersistentQueueWithCapacity(max_elements=3, path=path)
        q = None
        q = blocking.PersistentQueueWithCapacity(path, Two())
        q.push([b'a', b'b', b'c'])
        q = None
        q = blocking.PersistentQueueWithCapacity(path, True)
        q = None
        q = blocking.PersistentQueueWithCapacity(path, 2 ** 63)
        q = None
        blocking.PersistentQueueWithCapacity()
        blocking.PersistentQueueWithCapacity(path, None)
        blocking.PersistentQueueWithCapacity(path, 1.0)
        blocking.PersistentQueueWithCapacity(path, '1')
        blocking.PersistentQueueWithCapacity(path, -1)
        blocking.PersistentQueueWithCapacity(path, 2 ** 64)
        blocking.PersistentQueueWithCapacity(path, 3, 4)
        blocking.PersistentQueueWithCapacity(path, foo=4)
        blocking.PersistentQueueWithCapacity(None)
        blocking.PersistentQueueWithCapacity(5)
        blocking.PersistentQueueWithCapacity(path.encode())
        blocking.PersistentQueueWithCapacity('/tmp/\\ud800')

    a capacity next to the largest number:
        q = blocking.PersistentQueueWithCapacity(path, 2 ** 64 - 101)
        q = None
        q = blocking.PersistentQueueWithCapacity(path, 2 ** 64 - 100)

    the queue as an object:
        q = blocking.PersistentQueueWithCapacity(path)
        r = blocking.PersistentQueueWithCapacity(path + '2')
        type(q).__name__
        q.len = 5
        q.foo = 5
        del q.len
        q.__dict__
        q == q, q != q, q == r, q == 5, hash(q) == hash(q), len({{q, r}})
        __import__('pickle').dumps(q)
        __import__('copy').copy(q)
        __import__('weakref').ref(q)
        callable(q), isinstance(q, blocking.PersistentQueueWithCapacity)
        type(q.len), type(q.is_empty), type(q.disk_size), type(q.payload_size)
        q.len()
        len(q)
        iter(q) is not None
        with q: pass

    the truth of an empty queue:
        bool(blocking.PersistentQueueWithCapacity(path))

    the truth of a queue with items:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        bool(q)
    """
)

MPMC = _programs(
    f"""
    labels:
        q = blocking.MpmcQueue(path, 0)
        q.next('early', Oldest)
        q.labels
        q.add([b'1', b'2', b'3'])
        q.next('early', Newest, 5)
        q.next('old', Oldest)
        q.next('new', Newest, 5)
        q.next('new', Oldest, 5)
        q.next('', Oldest, 5)
        q.next('é\\0\\n', Oldest, 5)
        q.next('x' * 30_000, Oldest)
        sorted(map(len, q.labels)), type(q.labels)
        q.remove_label('')
        q.remove_label('')
        q.remove_label('nope', no_gil=False)
        q.remove_label('nope', True)
        q.remove_label(label='new', no_gil=True)
        q.next('new', Newest, 5)
        q.next('\\ud800', Oldest)
        q.next(5, Oldest)
        q.next(b'e', Oldest)
        q.next(None, Oldest)
        q.remove_label(None)
        q.remove_label('a', 1)
        q.remove_label()
        q = None
        q = blocking.MpmcQueue(path, 0)
        q.next('old', Oldest, 5)
        sorted(map(len, q.labels)), q.labels.index('old') >= 0

    a label of 100,000 bytes:
        q = blocking.MpmcQueue(path, 0)
        q.add([b'1'])
        q.next('x' * 100_000, Oldest)

    reading no items:
        q = blocking.MpmcQueue(path, 0)
        q.add([b'1', b'2', b'3'])
        q.next('c', Newest, 0)
        q.labels
        q.next('c', Oldest, 5)
        q.next('d', Oldest, 0)
        q.next('d', Newest, 5)
        q.next('d', Newest, 0)

    every argument of next:
        q = blocking.MpmcQueue(path, 0)
        q.add([b'1', b'2', b'3', b'4', b'5'])
        {INDEX}
        q.next('e', Oldest)
        q.next('e', Oldest, 1, False)
        q.next(label='e', start_position=Newest, max_elements=1, no_gil=False)
        q.next('e', Newest, no_gil=False)
        q.next('e', start_position=Newest, max_elements=Two())
        q.next('f', Oldest, True)
        q.next('e', 0)
        q.next('e', 1)
        q.next('e', None)
        q.next('e', 'Oldest')
        q.next('e')
        q.next()
        q.next('e', Oldest, None)
        q.next('e', Oldest, 1.0)
        q.next('e', Oldest, -1)
        q.next('e', Oldest, 2 ** 64)
        q.next('e', Oldest, 1, 1)
        q.next('e', Oldest, 1, True, 1)
        q.next('e', Oldest, foo=1)
        q.next('g', Oldest, 2 ** 20)
        type(q.next('g', Oldest)), type(q.next('g', Oldest)[1])
        q.len, q.is_empty, type(q.disk_size), q.disk_size > 0

    reading 2**50 items:
        q = blocking.MpmcQueue(path, 0)
        q.add([b'1'])
        q.next('f', Oldest, 2 ** 50)

    reading 2**60 items:
        q = blocking.MpmcQueue(path, 0)
        q.add([b'1'])
        q.next('f', Oldest, 2 ** 60)

    every argument of add:
        q = blocking.MpmcQueue(path, 0)
        q.add([])
        q.is_empty, q.len
        q.add([b'1'], False)
        q.add(items=[b'', bytearray(b'2')], no_gil=True)
        q.add([b'1'], 5)
        q.add(None)
        q.add(b'1')
        q.add()
        q.add([b'1'], True, 1)
        q.next('a', Oldest, 9)

    a string as an item of an MPMC queue:
        q = blocking.MpmcQueue(path, 0)
        q.add(['text'])

    a tuple of items for an MPMC queue:
        q = blocking.MpmcQueue(path, 0)
        q.add((b'a',))

    every argument of the MPMC constructor:
        {INDEX}
        q = blocking.MpmcQueue(path=path, ttl=5)
        q = None
        q = blocking.MpmcQueue(path, True)
        q = None
        q = blocking.MpmcQueue(path, Two())
        q = None
        q = blocking.MpmcQueue(path, 2 ** 32 - 1)
        q = None
        blocking.MpmcQueue(path)
        blocking.MpmcQueue(path, -1)
        blocking.MpmcQueue(path, 1.0)
        blocking.MpmcQueue(path, None)
        blocking.MpmcQueue(path, '1')
        blocking.MpmcQueue(path, 5, foo=4)
        blocking.MpmcQueue(None, 5)
        blocking.MpmcQueue(path, 2 ** 64)

    a ttl of 2**32 seconds:
        q = blocking.MpmcQueue(path, 2 ** 32)

    the payload of an MPMC queue:
        q = blocking.MpmcQueue(path, 0)
        q.payload_size

    opening with another ttl:
        q = blocking.MpmcQueue(path, 0)
        q.add([b'1'])
        q = None
        q = blocking.MpmcQueue(path, 100)
        q.next('a', Oldest)

    the truth of an empty MPMC queue:
        bool(blocking.MpmcQueue(path, 0))
    """
)

NONBLOCKING = _programs(
    f"""
    fields of the responses:
        q = nonblocking.PersistentQueueWithCapacity(path, 3)
        fields = lambda r: (lambda v: (v.data, v.len, v.size))(r.get())
        fields(q.push([b'a', b'bc']))
        fields(q.push([]))
        fields(q.len)
        fields(q.payload_size)
        [type(f) for f in fields(q.disk_size)]
        fields(q.pop())
        fields(q.pop(1))
        fields(q.pop(max_elements=1, no_gil=False))
        q.inflight_ops, type(q.inflight_ops)
        v = q.len.get()
        v.data = 3
        v.foo
        v.data is None, v.len, v.len
        r = q.len
        type(r).__name__
        bool(r)
        v = r.get()
        type(v).__name__, bool(v)
        v is not None, r == r, r == v, hash(r) == hash(r)
        __import__('pickle').dumps(r)
        __import__('pickle').dumps(v)
        r.foo = 5
        r()
        q.push(items=[b'b'], no_gil=False).get().data
        q.pop(2, True).get().data
        q.push([b'x']).get().data
        v = q.pop().get()
        v.data, v.data, v.data == v.data

    fields of the MPMC responses:
        q = nonblocking.MpmcQueue(path, 0)
        fields = lambda r: (lambda v: (v.data, v.labels, v.removed_label, v.len, v.size))(r.get())
        fields(q.next('a', Oldest))
        fields(q.add([b'1', b'2']))
        fields(q.add(items=[], no_gil=False))
        fields(q.next('a', Oldest, 5))
        fields(q.next(label='b', start_position=Newest, max_elements=5, no_gil=False))
        [sorted(f) if f else f for f in fields(q.labels)]
        fields(q.len)
        [type(f) for f in fields(q.disk_size)]
        fields(q.remove_label('b'))
        fields(q.remove_label(label='b', no_gil=False))
        q.inflight_ops
        r = q.len
        type(r).__name__, type(r.get()).__name__
        r()

    waiting for a response:
        q = nonblocking.PersistentQueueWithCapacity(path)
        q.push([b'a']).get().data
        r = q.pop()
        exec('while not r.is_ready: pass')
        r.is_ready, type(r.is_ready)
        v = r.try_get()
        v.data, type(v).__name__

    a response that is read twice:
        q = nonblocking.PersistentQueueWithCapacity(path)
        r = q.len
        r.get().len
        r.is_ready
        r.get().len

    a response that is tried after it was read:
        q = nonblocking.PersistentQueueWithCapacity(path)
        r = q.len
        r.get().len
        r.try_get().len

    a push onto a full queue:
        q = nonblocking.PersistentQueueWithCapacity(path, 1)
        q.push([b'a', b'b']).get().data
        q.len.get().len

    responses that nobody reads:
        q = nonblocking.PersistentQueueWithCapacity(path)
        [q.push([b'a']), q.push([b'b'])] and None
        __import__('time').sleep(0.2)
        q.len.get().len

    every argument of the nonblocking methods:
        q = nonblocking.PersistentQueueWithCapacity(path)
        q.push(None)
        q.push(b'a')
        q.push([b'a'], 1)
        q.pop(None)
        q.pop(-1)
        q.pop(1, 1)
        q.pop(1, True, 1)
        q.pop(True).get().data
        q.push()
        q.len.get().len
        m = nonblocking.MpmcQueue(path + '2', 0)
        m.next('a', 0)
        m.next('a')
        m.next(5, Oldest)
        m.next('a', Oldest, -1)
        m.add(None)
        m.remove_label(None)
        m.labels.get().labels

    nonblocking push of a tuple:
        q = nonblocking.PersistentQueueWithCapacity(path)
        q.push((b'a',))

    nonblocking push of a string:
        q = nonblocking.PersistentQueueWithCapacity(path)
        q.push(['text'])

    every argument of the nonblocking constructors:
        {INDEX}
        q = nonblocking.PersistentQueueWithCapacity(path=path, max_elements=3, max_inflight_ops=1)
        q.push([b'a']).get().data
        q = None
        q = nonblocking.PersistentQueueWithCapacity(path, 3, 0)
        q.push([b'a']).get().data, q.inflight_ops
        q = None
        q = nonblocking.PersistentQueueWithCapacity(path, Two(), Two())
        q = None
        q = nonblocking.PersistentQueueWithCapacity(path, 3, True)
        q = None
        nonblocking.PersistentQueueWithCapacity(path, None)
        nonblocking.PersistentQueueWithCapacity(path, 3, None)
        nonblocking.PersistentQueueWithCapacity(path, 3, -1)
        nonblocking.PersistentQueueWithCapacity(path, 3, 2 ** 64)
        nonblocking.PersistentQueueWithCapacity(path, 3, 4, 5)
        nonblocking.PersistentQueueWithCapacity()
        nonblocking.MpmcQueue(path + '2')
        nonblocking.MpmcQueue(path + '2', 1, None)
        nonblocking.MpmcQueue(path + '2', -1)
        q = nonblocking.MpmcQueue(path=path + '2', ttl=1, max_inflight_ops=5)
        q.len.get().len

    2**40 operations under way:
        q = nonblocking.PersistentQueueWithCapacity(path, 3, 2 ** 40)

    2**63 operations under way:
        q = nonblocking.PersistentQueueWithCapacity(path, 3, 2 ** 63)

    both faces one after the other:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a', b'b'])
        q = None
        q = nonblocking.PersistentQueueWithCapacity(path)
        q.pop().get().data
        q = None
        q = blocking.PersistentQueueWithCapacity(path)
        q.pop(5)
    """
)

PATHS = _programs(
    """
    missing parent directories:
        q = blocking.PersistentQueueWithCapacity(root + '/a/b/c')
        q.push([b'a'])
        q = None
        q = blocking.PersistentQueueWithCapacity(root + '/a/b/c')
        q.pop()
        m = blocking.MpmcQueue(root + '/d/e', 0)
        n = nonblocking.MpmcQueue(root + '/f/g/', 0)
        o = blocking.PersistentQueueWithCapacity(root + '/h/../i/j')
        sorted(os.listdir(root))

    paths of every form:
        os.chdir(root)
        q = blocking.PersistentQueueWithCapacity('relative')
        q.push([b'a'])
        r = blocking.PersistentQueueWithCapacity('relative/inside/it')
        s = blocking.PersistentQueueWithCapacity('./with/dots/../slash/')
        t = blocking.PersistentQueueWithCapacity('with space and ünïcode')
        sorted(os.listdir(root))
        q = None
        blocking.PersistentQueueWithCapacity(root + '/relative').pop()
        os.chdir('/')

    the current directory:
        os.mkdir(path)
        os.chdir(path)
        q = blocking.PersistentQueueWithCapacity('.')
        q.push([b'a'])
        q = None
        os.chdir('/')
        blocking.PersistentQueueWithCapacity(path).pop()

    a symbolic link:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        q = None
        os.symlink(path, root + '/link')
        q = blocking.PersistentQueueWithCapacity(root + '/link')
        q.pop()
        q = None
        rocksq.remove_queue(root + '/link')
        blocking.PersistentQueueWithCapacity(path).len

    a queue that is open, through a symbolic link:
        q = blocking.PersistentQueueWithCapacity(path)
        os.symlink(path, root + '/link')
        blocking.PersistentQueueWithCapacity(root + '/link')

    an empty directory:
        os.mkdir(path)
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        q = None
        blocking.PersistentQueueWithCapacity(path).pop()

    an empty path:
        blocking.PersistentQueueWithCapacity('')

    a path with a zero byte:
        blocking.PersistentQueueWithCapacity('/tmp/a\\0b')

    a path object:
        q = blocking.PersistentQueueWithCapacity(pathlib.Path(path))
        rocksq.remove_queue(pathlib.Path(root) / 'none')

    a file in place of the directory:
        open(path, 'w').close()
        blocking.PersistentQueueWithCapacity(path)
        blocking.MpmcQueue(path, 0)
        blocking.PersistentQueueWithCapacity(path + '/sub')
        nonblocking.MpmcQueue(path, 0)

    a file in place of the directory of a nonblocking queue:
        open(path, 'w').close()
        nonblocking.PersistentQueueWithCapacity(path)

    a parent that cannot be made:
        blocking.PersistentQueueWithCapacity('/proc/none/queue')

    a dangling link:
        os.symlink(root + '/nowhere', path)
        blocking.PersistentQueueWithCapacity(path)

    a queue that is open already:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        blocking.PersistentQueueWithCapacity(path)
        rocksq.remove_queue(path)
        q.pop()

    an MPMC queue that is open already:
        q = blocking.MpmcQueue(path, 0)
        blocking.MpmcQueue(path, 0)
        nonblocking.MpmcQueue(path, 0)
        rocksq.remove_mpmc_queue(path)
        q.is_empty

    a nonblocking queue over a path that is open already:
        q = blocking.PersistentQueueWithCapacity(path)
        nonblocking.PersistentQueueWithCapacity(path)

    a directory with files of others:
        os.mkdir(path)
        open(path + '/letter.txt', 'w').close()
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        q = None
        q = blocking.PersistentQueueWithCapacity(path)
        q.pop()
        q = None
        rocksq.remove_queue(path)
        os.listdir(path)

    removing:
        rocksq.remove_queue(path)
        rocksq.remove_mpmc_queue(path)
        os.path.exists(path)
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        q = None
        rocksq.remove_queue(path=path)
        os.path.exists(path)
        q = blocking.PersistentQueueWithCapacity(path)
        q.len
        q = None
        rocksq.remove_queue(path)
        q = blocking.MpmcQueue(path, 0)
        q.add([b'a'])
        q.next('a', Oldest)
        q = None
        rocksq.remove_mpmc_queue(path=path)
        os.path.exists(path)
        q = blocking.MpmcQueue(path, 0)
        q.len, q.labels
        q = None
        rocksq.remove_mpmc_queue(path)
        rocksq.remove_queue()
        rocksq.remove_queue(None)
        rocksq.remove_queue(5)
        rocksq.remove_queue(queue_name=path)

    removing an empty directory:
        os.mkdir(path)
        rocksq.remove_queue(path)
        os.path.exists(path)

    removing below a directory that is missing:
        rocksq.remove_queue(root + '/none/none')

    removing an empty path:
        rocksq.remove_queue('')

    removing a file:
        open(path, 'w').close()
        rocksq.remove_queue(path)
        os.path.exists(path)

    removing a directory with files of others alone:
        os.mkdir(path)
        open(path + '/letter.txt', 'w').close()
        rocksq.remove_queue(path)
        os.listdir(path)

    removing an MPMC queue as a persistent one:
        q = blocking.MpmcQueue(path, 0)
        q.add([b'a'])
        q = None
        rocksq.remove_queue(path)

    removing a persistent queue as an MPMC one:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        q = None
        rocksq.remove_mpmc_queue(path)

    the other kind of queue:
        q = blocking.PersistentQueueWithCapacity(path)
        q.push([b'a'])
        q = None
        q = blocking.MpmcQueue(path, 0)
    """
)

PROGRAMS = MODULES | FIFO | MPMC | NONBLOCKING | PATHS
