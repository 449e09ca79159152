/**
 * Sorted tables, in memory instead of on a disk: what they cost and gain by themselves.
 *
 *   npm run bench:tables -- [--records 200000] [--json file]
 *
 * Seconds are those of the processor. Values are of two kinds: text (as JSON of short words has it), and bytes that nothing compresses.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BlockCache, placeCache } from '../src/lsm/block-cache.ts'
import { COMPRESSIONS, type Compression } from '../src/lsm/block-frame.ts'
import { Compaction } from '../src/lsm/compaction.ts'
import { NEWEST, ValueBuffer } from '../src/lsm/entry.ts'
import { MergingSource } from '../src/lsm/merging-source.ts'
import { TableIterator } from '../src/lsm/table-iterator.ts'
import { TableReader } from '../src/lsm/table-reader.ts'
import { TableWriter } from '../src/lsm/table-writer.ts'
import { createArena } from '../src/memory/arena.ts'
import { EpochScheme } from '../src/reclaim/epoch.ts'
import { claimSlot } from '../src/reclaim/participant.ts'
import { MemoryDisk } from '../test/support/memory-disk.ts'
import { random } from '../test/support/random.ts'

const { values: options } = parseArgs({
  options: { records: { type: 'string', default: '200000' }, json: { type: 'string' } },
})
const RECORDS = Number(options.records)
const VALUE_BYTES = 100
const LOOKUPS = 300_000
const MIB = 2 ** 20
const figures: Record<string, number> = {}

function note(name: string, value: number): void {
  figures[name] = value
  console.log(`  ${name.padEnd(58)} ${value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)}`)
}

/** Of the processor, so that whatever else runs on the machine counts less. */
function secondsOf(run: () => void): number {
  const from = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1e6
}

const WORDS = 'the a loom warp weft thread shuttle heddle reed beam cloth yarn wool silk pattern weave'.split(' ')

function valuesOf(kind: 'text' | 'noise'): Uint8Array[] {
  const r = random(1)
  return Array.from({ length: 1000 }, () => {
    if (kind === 'noise') return Uint8Array.from({ length: VALUE_BYTES }, () => r.int(256))
    let text = `{"id":${r.int(1e9)},"tags":"`
    while (text.length < VALUE_BYTES - 2) text += `${r.pick(WORDS)} `
    return Buffer.from(`${text.slice(0, VALUE_BYTES - 2)}"}`)
  })
}

const key = Buffer.alloc(16, '0')

function setKey(n: number): void {
  key.write(`user${String(n * 7).padStart(12, '0')}`, 0, 'latin1')
}

/** Records `first`, `first + step`, ... as one table. */
function write(
  disk: MemoryDisk,
  id: number,
  values: Uint8Array[],
  compression: Compression,
  first = 0,
  step = 1,
): number {
  const writer = new TableWriter(disk, id, 1, { compression })
  for (let i = first; i < RECORDS; i += step) {
    setKey(i)
    const value = values[i % values.length]!
    writer.add(key, 0, 16, 0, i, value, 0, value.length)
  }
  return writer.finish().bytes
}

function cacheOf(bytes: number): BlockCache {
  const arena = createArena({
    arenaWords: 2 ** 26,
    segmentWords: 4096,
    maxParticipants: 4,
    pageIds: 64,
    leafEntries: 4,
    leafSlots: 2,
    innerEntries: 4,
    inlineBytes: 256,
    maxSnapshots: 2,
    clockBits: 28,
    snapshotMs: 0,
    snapshotWords: 2 ** 30,
    tierWords: 0,
    scheme: 'epoch',
    paranoid: false,
  })
  const me = claimSlot(arena, 1)!
  const at = arena.layout.firstSegment << arena.layout.segmentShift
  return new BlockCache(arena, new EpochScheme(arena, me), me, placeCache(at, bytes, 4096))
}

function lookups(reader: TableReader, absent: boolean): number {
  const r = random(2)
  const into = new ValueBuffer()
  const seconds = secondsOf(() => {
    for (let i = 0; i < LOOKUPS; i++) {
      setKey(r.int(RECORDS))
      if (absent) key[15]! ^= 1
      const found = reader.get(key, 0, 16, NEWEST, into)
      if (found !== (absent ? -1 : 0)) throw new Error('a wrong answer')
    }
  })
  return LOOKUPS / seconds
}

function measure(kind: 'text' | 'noise', compression: Compression): void {
  const disk = new MemoryDisk()
  const values = valuesOf(kind)
  const raw = (RECORDS * (16 + VALUE_BYTES)) / MIB
  write(disk, 1, values, compression)
  let bytes = 0
  const seconds = secondsOf(() => (bytes = write(disk, 2, values, compression)))
  const label = `${kind}, ${compression}`
  note(`${label}: write, MiB of entries/s`, raw / seconds)
  note(`${label}: file bytes per byte of entries`, bytes / MIB / raw)
  const reader = new TableReader(disk, 1, 1)
  lookups(reader, false)
  note(`${label}: lookups/s, each decodes its block`, lookups(reader, false))
  const walk = new TableIterator(reader)
  let entries = 0
  const scan = secondsOf(() => {
    for (walk.seekFirst(); walk.valid; walk.next()) entries++
  })
  note(`${label}: scan, entries/s`, entries / scan)
}

function measureCache(): void {
  const disk = new MemoryDisk()
  write(disk, 1, valuesOf('text'), 'none')
  const reader = new TableReader(disk, 1, 1, cacheOf(200 * MIB))
  lookups(reader, false)
  note('lookups/s, all blocks cached', lookups(reader, false))
  const small = cacheOf(3 * MIB)
  const pressed = new TableReader(disk, 1, 1, small)
  lookups(pressed, false)
  const [hits, misses] = [small.hits, small.misses]
  note('lookups/s, a cache of 3 MiB', lookups(pressed, false))
  note('  its hit rate', (small.hits - hits) / (small.hits - hits + small.misses - misses))
  const before = reader.passedInVain
  note('lookups/s of absent keys', lookups(reader, true))
  note('  false positives of the filter, 10 bits a key', (reader.passedInVain - before) / LOOKUPS)
}

function measureMerge(compression: Compression): void {
  const disk = new MemoryDisk()
  let read = 0
  for (let i = 0; i < 4; i++) read += write(disk, i + 1, valuesOf('text'), compression, i, 4)
  let id = 10
  const sources = [1, 2, 3, 4].map((one) => new TableIterator(new TableReader(disk, one, 1), false))
  const more = { tableBytes: 8 * MIB, table: { compression }, snapshots: [], below: [] }
  const compaction = new Compaction(new MergingSource(sources), { disk, generation: 1, newId: () => id++, ...more })
  const seconds = secondsOf(() => void compaction.run())
  const raw = (RECORDS * (16 + VALUE_BYTES)) / MIB
  note(`compaction of 4 tables, verified, ${compression}: MiB of entries/s`, raw / seconds)
  note(`  MiB of files read/s`, read / MIB / seconds)
}

console.log(`${RECORDS.toLocaleString('en-US')} records of 16 + ${VALUE_BYTES} bytes`)
for (const kind of ['text', 'noise'] as const) for (const compression of COMPRESSIONS) measure(kind, compression)
measureCache()
for (const compression of COMPRESSIONS) measureMerge(compression)
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(figures, undefined, 2))
