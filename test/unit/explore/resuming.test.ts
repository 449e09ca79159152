/** A search can be cut off and gone on with, and dealt out to several JavaScript threads, without losing anything. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEAL_WORDS } from '../../../src/explore/dealing.ts'
import { LOAD } from '../../../src/explore/events.ts'
import { exploreDealt } from '../../../src/explore/explore.ts'
import { explore, type ExploreOptions } from '../../../src/explore/index.ts'
import { $c, type Coroutine } from '../../../src/explore/language.ts'
import { Random } from '../../../src/explore/random.ts'
import { $exec, $pre } from '../../../src/explore/steps.ts'
import { body, randomProgram } from './programs.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-explore-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function scenario(seed: number, seen: Set<string>, steps = 12): ExploreOptions<Int32Array> {
  const program = randomProgram(new Random(seed), steps)
  return {
    memory: { bytes: 16 },
    attach: (memory) => new Int32Array(memory),
    threads: program.threads.map((operations) => body(operations, false)),
    after: (memory, { results }) => void seen.add(`${new Int32Array(memory).join()} ${JSON.stringify(results)}`),
    races: 'ignore',
    mode: 'dpor',
    maxMs: 60_000,
  }
}

test.each(['none', 'everywhere'] as const)(
  'a search cut off again and again ends where one in one go ends (kill: %s)',
  (kill) => {
    for (let seed = 1; seed <= 12; seed++) {
      const whole = new Set<string>()
      const all = explore({ ...scenario(seed, whole, 9), kill })
      const pieces = new Set<string>()
      const checkpoint = join(folder, `${kill}${seed}.json`)
      let sessions = 0
      let last = explore({ ...scenario(seed, pieces, 9), kill, checkpoint, maxExecutions: 20 })
      for (; !last.complete; sessions++) {
        last = explore({ ...scenario(seed, pieces, 9), kill, checkpoint, maxExecutions: 20 })
        expect(last.error).toBeUndefined()
        expect(sessions).toBeLessThan(10_000)
      }
      expect([...pieces].sort()).toEqual([...whole].sort())
      expect(last.executions).toBeGreaterThanOrEqual(all.executions)
    }
  },
)

test('a checkpoint of something else is refused', () => {
  const checkpoint = join(folder, 'one.json')
  explore({ ...scenario(1, new Set()), checkpoint, maxExecutions: 1 })
  expect(JSON.parse(readFileSync(checkpoint, 'utf8'))).toMatchObject({ format: 1, executions: 1 })
  const refusal = expect.objectContaining({ code: 'HEDDLE_INVALID_OPTION' })
  expect(() => explore({ ...scenario(1, new Set()), checkpoint, mode: 'dfs' })).toThrow(refusal)
  writeFileSync(checkpoint, 'not JSON')
  expect(() => explore({ ...scenario(1, new Set()), checkpoint })).toThrow(refusal)
})

test.each(['none', 'everywhere'] as const)('several searchers together meet what one meets (kill: %s)', (kill) => {
  for (let seed = 1; seed <= (kill === 'none' ? 40 : 8); seed++) {
    const whole = new Set<string>()
    explore({ ...scenario(seed, whole, 14), kill })
    const together = new Set<string>()
    const counters = new SharedArrayBuffer(DEAL_WORDS * 4)
    let executions = 0
    for (let worker = 0; worker < 3; worker++) {
      const result = exploreDealt({ ...scenario(seed, together, 14), kill }, { counters, workers: 3, worker })
      expect(result.error).toBeUndefined()
      expect(result.complete).toBe(true)
      executions += result.executions
    }
    expect([...together].sort()).toEqual([...whole].sort())
    expect(executions).toBeGreaterThan(0)
  }
})

test('a large exploration leaves nothing behind for the next', () => {
  const many: ExploreOptions<Int32Array> = {
    memory: { bytes: 16384 },
    attach: (memory) => new Int32Array(memory),
    threads: [(words) => $c(touchAll(words)), (words) => $c(touchAll(words))],
    maxExecutions: 3,
  }
  expect(explore(many).error).toBeUndefined()
  expect(explore(scenario(1, new Set())).error).toBeUndefined()
})

function* touchAll(words: Int32Array): Coroutine {
  for (let i = 0; i < words.length; i++) {
    if ($pre(-1, LOAD, words, i)) yield
    $exec()
  }
  return undefined
}
