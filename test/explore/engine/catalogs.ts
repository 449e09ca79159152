/** The catalog: acquire, release and create against each other and against the removal of files. */
import { fail } from '../../../src/explore/failure.ts'
import { Catalog, placeCatalog, type Version } from '../../../src/lsm/catalog.ts'
import { parseFileName } from '../../../src/lsm/file-name.ts'
import type { TableMeta } from '../../../src/lsm/table-writer.ts'
import { EMPTY_STATE, type VersionState } from '../../../src/lsm/version-state.ts'
import { type Member, join, listArena, slotFaults } from './people.ts'
import { type Play, bothOf, type Rehearsable } from './play.ts'

interface Librarian extends Member {
  readonly catalog: Catalog
  /** The directory: a word for each file, 1 if it is there. */
  readonly files: number
}

interface Keeper extends Librarian {
  readonly kept: Version
}

const MOST_FILES = 8
const NOTHING = new Uint8Array(0)

function state(...ids: number[]): VersionState {
  const some = { generation: 1, bytes: 1, entries: 1, deletes: 0, leastSequence: 0, greatestSequence: 0 }
  const tables = ids.map((id): TableMeta => ({ id, ...some, smallest: NOTHING, greatest: NOTHING }))
  return { ...EMPTY_STATE, levels: [tables] }
}

function idsOf({ state: { levels } }: Version): number[] {
  return levels[0]!.map(({ id }) => id)
}

function librarians(memory: SharedArrayBuffer, people: number, slots: number): Librarian[] {
  const arena = listArena(memory)
  const files = arena.layout.firstSegment << arena.layout.segmentShift
  const geometry = placeCatalog(files + MOST_FILES, arena.layout.maxParticipants, slots, 80, 2)
  const cast = Array.from({ length: people }, (_, i) => {
    const member = join(arena, i + 1)
    const remove = (name: string): void => {
      Atomics.store(arena.words, files + parseFileName(name)!.id, 0)
    }
    return { ...member, files, catalog: new Catalog(arena, member.scheme, member.me, geometry, remove) }
  })
  for (const id of [1, 2]) arena.words[files + id] = 1
  cast.at(-1)!.catalog.createFirst(state(1, 2))
  return cast
}

/** As above, with three versions: the first two are held by the first two of the cast. */
function keepers(memory: SharedArrayBuffer): Keeper[] {
  const cast = librarians(memory, 3, 4)
  const kept = [1, 2].map((id, i) => {
    const version = cast[i]!.catalog.acquire()
    change(cast[2]!, id, id + 2)
    return version
  })
  return cast.map((one, i) => ({ ...one, kept: kept[i]! }))
}

/** What is in a version that is held must be there. */
function look({ arena, files }: Librarian, version: Version): void {
  for (const id of idsOf(version)) {
    if (Atomics.load(arena.words, files + id) !== 1) fail('use-after-free', `file ${id} was removed under a reader`)
  }
}

function read(one: Librarian): number {
  const version = one.catalog.acquire()
  look(one, version)
  const { number } = version
  one.catalog.release(version)
  return number
}

/** Two readings that overlap. */
function readTwice(one: Librarian): void {
  const first = one.catalog.acquire()
  const second = one.catalog.acquire()
  if (second.number < first.number) fail('assertion', 'the catalog went back')
  look(one, first)
  one.catalog.release(first)
  look(one, second)
  one.catalog.release(second)
}

/** Takes a file out of the current version, and puts a new one in, however often it has to begin anew. */
function change(one: Librarian, out: number, into: number): number {
  const { catalog, arena, files } = one
  Atomics.store(arena.words, files + into, 1)
  for (;;) {
    const base = catalog.acquire()
    look(one, base)
    const ids = [...idsOf(base).filter((id) => id !== out), into]
    const done = catalog.create(base, state(...ids))
    const number = base.number + 1
    catalog.release(base)
    if (done) return number
  }
}

function faults(survivor: Librarian, killed: number): string[] {
  const { catalog, scheme, arena, files } = survivor
  if (killed >= 0) {
    scheme.reap(killed + 1)
    // Otherwise whoever was the last to leave a version has swept it.
    catalog.sweep()
  }
  const current = catalog.acquire()
  const found = [...slotFaults(survivor)]
  const named = idsOf(current)
  for (let id = 1; id < MOST_FILES; id++) {
    const exists = arena.words[files + id] === 1
    if (named.includes(id) && !exists) found.push(`file ${id} is missing`)
    // What a dead creator had written is an orphan, for the next start-up.
    if (!named.includes(id) && exists && (killed < 0 || id < 3)) found.push(`file ${id} was not removed`)
  }
  const { geometry } = catalog
  for (let slot = 0; slot < geometry.slots; slot++) {
    const word = arena.words[geometry.statesAt + slot]!
    const readers = catalog.readersOf(slot)
    const isCurrent = slot === arena.words[geometry.currentAt]! - 1
    if (isCurrent ? word !== current.number : word > 0) found.push(`slot ${slot} is in state ${word >>> 0}`)
    if (readers !== (isCurrent ? 1 : 0)) found.push(`slot ${slot} has ${readers} readers`)
  }
  catalog.release(current)
  return found
}

function play(
  name: string,
  slots: number,
  threads: readonly ((one: Librarian) => unknown)[],
  more: Partial<Play<Librarian>> = {},
): Play<Librarian> {
  return {
    name: `catalog: ${name}`,
    cast: (memory) => librarians(memory, threads.length + 1, slots),
    threads,
    check: (survivors, { killed }) => faults(survivors.at(-1)!, killed),
    ...more,
  }
}

const plays: Play<Librarian>[] = [
  play('a reader against a new version', 3, [read, (one) => change(one, 1, 3)]),
  play('two readers against a new version', 3, [read, read, (one) => change(one, 1, 3)]),
  play('a reader of two versions', 4, [readTwice, (one) => change(one, 1, 3)]),
  play('a reader against two new versions', 4, [read, (one) => [change(one, 1, 3), change(one, 2, 4)]]),
  play('two creators', 4, [(one) => change(one, 1, 3), (one) => change(one, 2, 4)]),
  play('two creators and a reader', 4, [(one) => change(one, 1, 3), (one) => change(one, 2, 4), read]),
  play(
    'a version superseded by its reader',
    4,
    [
      (one) => change(one, 1, 3),
      (one) => {
        const version = one.catalog.acquire()
        change(one, idsOf(version).includes(3) ? 3 : 2, 4)
        look(one, version)
        one.catalog.release(version)
        return version.number
      },
    ],
    {
      check(survivors, { killed, results }) {
        const survivor = survivors.at(-1)!
        const found = faults(survivor, killed)
        // Only the second version, which a dead creator may have left, named file 3.
        const lost = results[1] === 2 && killed === 0 && survivor.arena.words[survivor.files + 3] === 1
        return lost ? [...found, 'file 3 was not removed'] : found
      },
    },
  ),
  play('two sweepers of two old versions', 4, [
    (one) => {
      const old = one.catalog.acquire()
      change(one, 3, 5)
      look(one, old)
      one.catalog.release(old)
    },
    (one) => change(one, 1, 4),
  ]),
  play('a reaper beside a creator and a reader', 4, [(one) => change(one, 1, 3), read], {
    reap: (onlooker, threadId) => onlooker.scheme.reap(threadId),
  }),
]

const keeping: Play<Keeper> = {
  name: 'catalog: a slot is not used again while a sweeper looks at it',
  cast: keepers,
  threads: [
    (one) => {
      one.catalog.release(one.kept)
      change(one, 3, 5)
    },
    (one) => one.catalog.release(one.kept),
  ],
  check: (survivors, { killed }) => faults(survivors.at(-1)!, killed),
}

/** The current version is in the first slot, an older one in the second, held by the first of the cast. */
function turned(memory: SharedArrayBuffer): Keeper[] {
  const cast = librarians(memory, 3, 4)
  const onlooker = cast[2]!
  change(onlooker, 1, 3)
  onlooker.scheme.tryAdvance()
  onlooker.scheme.tryAdvance()
  const kept = cast[0]!.catalog.acquire()
  change(onlooker, 2, 4)
  return cast.map((one) => ({ ...one, kept }))
}

const turning: Play<Keeper> = {
  name: 'catalog: what a sweeper holds becomes old',
  cast: turned,
  threads: [(one) => one.catalog.release(one.kept), (one) => change(one, 3, 5)],
  check: (survivors, { killed }) => faults(survivors.at(-1)!, killed),
}

export const scenarios: Rehearsable[] = [...bothOf(plays), ...bothOf([keeping, turning])]
