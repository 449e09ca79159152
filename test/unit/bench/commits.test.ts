import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { ENTRIES } from '../../../bench/engines/catalog.ts'
import type { Session } from '../../../bench/engines/engine.ts'
import { Competitor } from '../../../bench/field.ts'
import { Histogram } from '../../../bench/histogram.ts'
import { parseOptions } from '../../../bench/options.ts'
import { runCommits } from '../../../bench/workloads/commits.ts'
import { Planner } from '../../../bench/workloads/plan.ts'
import { findWorkload } from '../../../bench/workloads/catalog.ts'

const directory = mkdtempSync(join(tmpdir(), 'heddle-commits-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Says what is asked of it: `s` a set, `f` and `F` the beginning and the end of a flush, `.` that the thread was free. */
function recorder(asynchronous: boolean): Session & { said: string } {
  return {
    said: '',
    deferred: new Set(),
    batch: 0,
    entries: 0,
    prepare: (value) => value,
    read: () => 0,
    set() {
      this.said += 's'
    },
    flush() {
      this.said += 'f'
      if (!asynchronous) {
        this.said += 'F'
        // Comes only when the thread is let go.
        queueMicrotask(() => (this.said += '.'))
        return
      }
      return turn().then(() => void (this.said += 'F'))
    },
    lookup: () => undefined,
    close: () => undefined,
  }
}

async function commit(session: Session & { said: string }, group: number, callers: number): Promise<number> {
  const plan = new Planner('string', 50, false, 0, 1).draw(findWorkload('overwrite'), 7, 1)
  const histogram = new Histogram()
  const done = await runCommits(session, plan, 'v', { group, callers }, 20, histogram)
  expect(histogram.total * group).toBe(done)
  expect(session.said.replaceAll(/[^s]/g, '')).toHaveLength(done)
  return done
}

test.each([true, false])(
  'a caller sets no more before its group is durable (asynchronous: %s)',
  async (asynchronous) => {
    const alone = recorder(asynchronous)
    // More than the plan has keys.
    expect(await commit(alone, 1, 1)).toBeGreaterThan(7)
    expect(alone.said).toMatch(/^(?:sfF)+\.*$/)
    const grouped = recorder(asynchronous)
    await commit(grouped, 3, 1)
    expect(grouped.said).toMatch(/^(?:sssfF)+\.*$/)
  },
)

test('what is durable only when it has settled is waited for', async () => {
  const settling = Object.assign(recorder(false), { flush: () => undefined, settle: () => Promise.resolve() })
  settling.settle = () => turn().then(() => void (settling.said += 'S'))
  await commit(settling, 1, 1)
  expect(settling.said).toMatch(/^(?:sS)+$/)
})

test('callers wait beside each other, unless the engine holds the thread', async () => {
  const beside = recorder(true)
  await commit(beside, 1, 4)
  expect(beside.said).toMatch(/^(?:sf){4}F/)
  const holding = recorder(false)
  await commit(holding, 1, 4)
  expect(holding.said).toMatch(/^(?:sfF)+\.+$/)
})

test('a group is put together by an engine that would commit each write by itself', async () => {
  for (const [group, expected] of [
    [1, []],
    [2, [true, false]],
  ] as const) {
    const said: boolean[] = []
    await commit(Object.assign(recorder(false), { bulk: (on: boolean) => void said.push(on) }), group, 1)
    expect(said).toEqual(expected)
  }
})

test('what could not be loaded in time, or does not wait for the disk, is not measured as if it did', async () => {
  const options = { ...parseOptions(['--directory', directory])!, workers: [1] }
  const competitor = new Competitor(options, 'map', { keys: 'string', valueBytes: 100, records: 20_000 })
  try {
    await competitor.start()
    competitor.patienceMs = 0
    await expect(competitor.ensureLoaded()).rejects.toThrow('took more than')
    competitor.patienceMs = 60_000
    await competitor.ensureLoaded()
    // It could set as quickly as it likes: nothing of it would be durable.
    expect(competitor.whyNot('overwrite', 1)).toBeNull()
    expect(competitor.whyNot('durable-set', 1)).toBe('does not wait for the disk')
  } finally {
    await competitor.end()
  }
})

test('what syncs now and then is not taken for one that waits', () => {
  const waits = ENTRIES.filter((entry) => entry.settles).map((entry) => entry.name)
  expect(waits).toEqual(expect.arrayContaining(['heddle-sync', 'heddle-group', 'lmdb-async', 'classic-level-sync']))
  for (const name of ['heddle', 'lmdb', 'classic-level', 'sqlite-normal']) expect(waits).not.toContain(name)
})
