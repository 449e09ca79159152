import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Barrier } from '../../../src/cli/replay/barrier.ts'
import { generate, linesOf as linesOfBlock } from '../../../src/cli/replay/generate.ts'
import { blocksOf, linesOf, NOT_FOUND, type Operation, parseLine } from '../../../src/cli/replay/script.ts'
import { replay, type ReplayStore, type WrongAnswer } from '../../../src/cli/replay/worker.ts'
import { readReplayCommand } from '../../../src/cli/replay.ts'
import { random } from '../../support/random.ts'
import { heddle } from './run-cli.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-replay-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const RIGHT = 'PUT a 1\nPUT b 2\nBARRIER\nGET a 1\nGET b 2\nGET c NOT_FOUND\nDELETE b\nBARRIER\nGET b x,NOT_FOUND\n'

describe('the command', () => {
  test('a file whose answers are right', async () => {
    const { code, out, err } = await heddle([
      'replay',
      fileWith('right', RIGHT.replace('GET b 2', 'GET b 2,NOT_FOUND')),
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/replay: 7 operations in 3 blocks, \d+ workers, .* operations\/s: 0 wrong answers\n$/)
  })

  test('a wrong answer: line, key, got, expected, exit code 1', async () => {
    const path = fileWith('wrong', 'PUT a 1\n\nBARRIER\nGET a 2,NOT_FOUND\nBARRIER\nGET b 1\n')
    const { code, out } = await heddle(['replay', path, '--workers', '1'])
    expect(code).toBe(1)
    expect(out.split('\n').slice(0, 2)).toEqual([
      'line 4: GET a got 1, expected 2 or NOT_FOUND',
      'line 6: GET b got NOT_FOUND, expected 1',
    ])
    expect(out).toContain('2 wrong answers')
  })

  test('a generated file is replayed by three workers without a wrong answer', async () => {
    const path = join(folder, 'generated')
    const made = await heddle(['replay', '--generate', path, '--lines', '4000', '--keys', '30', '--seed', '7'])
    expect(made).toEqual({ code: 0, out: `${path}: 4,000 operations, seed 7\n`, err: '' })
    const { code, out } = await heddle(['replay', path, '--workers', '3', '--memory', '16m'])
    expect(out).toMatch(/4,000 operations in \d+ blocks, 3 workers, .*: 0 wrong answers/)
    expect(code).toBe(0)
  })

  test('a durable store gives the same answers, with flushes and compactions all the time, and is there again', async () => {
    const path = join(folder, 'for-a-directory')
    const directory = join(folder, 'durable')
    await heddle(['replay', '--generate', path, '--lines', '3000', '--keys', '40', '--seed', '3'])
    const args = ['replay', path, '--workers', '2', '--memory', '32m', '--path', directory, '--memtable', '50']
    const { code, out } = await heddle(args)
    expect(out).toMatch(/3,000 operations in \d+ blocks, .*: 0 wrong answers, [1-9]\d* flushes, \d+ compactions\n$/)
    expect(code).toBe(0)
    const again = await heddle(args)
    expect(again.code).not.toBe(0)
    expect(again.err).toContain(`there is a store in '${directory}' already`)
  })

  test('without a file they go to stdout, and are the same for the same seed', async () => {
    const args = ['replay', '--generate', '--lines', '300', '--seed', '9', '--block', '20']
    const { code, out } = await heddle(args)
    expect(code).toBe(0)
    expect(out).toBe(`${[...generate({ lines: 300, keys: 100, block: 20, seed: 9 })].join('\n')}\n`)
  })

  test.each([
    ['PUT a', /line 2: expected PUT key value/],
    ['PUT a b,c', /line 2: 'b,c' cannot be a value/],
    ['PUT a NOT_FOUND', /line 2: 'NOT_FOUND' cannot be a value/],
    ['put a b', /line 2: expected/],
    ['BARRIER now', /line 2: expected/],
  ])('refused: %s', async (line, message) => {
    const { code, out, err } = await heddle(['replay', fileWith('refused', `DELETE x\n${line}\n`)])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  })

  test('arguments that make no sense', () => {
    expect(() => readReplayCommand([])).toThrow(/name a file/)
    expect(() => readReplayCommand(['a', 'b'])).toThrow(/unexpected argument 'b'/)
    expect(() => readReplayCommand(['a', '--lines', '3'])).toThrow(/'--lines' does not go without --generate/)
    expect(() => readReplayCommand(['a', '--memtable', '3'])).toThrow(/'--memtable' does not go without --path/)
    expect(readReplayCommand(['a', '--path', 'b'])!.replay).toMatchObject({ path: 'b', memtable: 2000 })
    expect(() => readReplayCommand(['--generate', '--workers', '3'])).toThrow(/'--workers' does not go with --generate/)
    expect(() => readReplayCommand(['a', '--workers', '0'])).toThrow(/--workers/)
    expect(readReplayCommand(['--help'])).toBeUndefined()
    expect(readReplayCommand(['--generate'])!.generate).toEqual({
      file: undefined,
      lines: 10_000,
      keys: 100,
      block: 50,
      seed: 1,
    })
  })
})

test('lines of a file that is longer than a piece, without an end', () => {
  const lines = Array.from({ length: 9000 }, (_, i) => `PUT käy${i} ${'v'.repeat(i % 40)}`)
  expect([...linesOf(fileWith('long', lines.join('\n')))]).toEqual(lines)
  expect([...linesOf(fileWith('ended', 'a\nb\n'))]).toEqual(['a', 'b'])
  expect([...linesOf(fileWith('empty', ''))]).toEqual([])
})

test('blocks: blank lines and empty blocks are nothing', () => {
  const blocks = [...blocksOf(['', 'BARRIER', 'DELETE a', ' ', 'BARRIER', 'BARRIER', 'GET a x'])]
  expect(blocks.map((block) => block.map(({ line }) => line))).toEqual([[3], [7]])
  expect(parseLine('  GET  a   b,c ', 4)).toEqual({ kind: 'GET', line: 4, key: 'a', argument: 'b,c' })
})

function plainStore(): ReplayStore {
  const map = new Map<string, string>()
  return {
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    delete: (key) => map.delete(key),
  }
}

/** One worker on a store of its own. */
function wrongAnswers(store: ReplayStore, lines: Iterable<string>): WrongAnswer[] {
  const wrong: WrongAnswer[] = []
  replay(store, blocksOf(lines), { worker: 0, workers: 1 }, new Barrier(1), (answer) => wrong.push(answer))
  return wrong
}

describe('a store that lies is found', () => {
  const lines = [...generate({ lines: 5000, keys: 40, block: 30, seed: 3 })]

  test('an honest one is not', () => {
    expect(wrongAnswers(plainStore(), lines)).toEqual([])
  })

  const lies: [string, (store: ReplayStore, now: () => boolean) => ReplayStore][] = [
    ['loses a value', (store, now) => ({ ...store, set: (key, value) => (now() ? undefined : store.set(key, value)) })],
    ['keeps what was deleted', (store, now) => ({ ...store, delete: (key) => (now() ? true : store.delete(key)) })],
    ['answers another key', (store, now) => ({ ...store, get: (key) => store.get(now() ? `${key}1` : key) })],
    ['cuts a value', (store, now) => ({ ...store, get: (key) => (now() ? store.get(key)?.slice(1) : store.get(key)) })],
  ]

  test.each(lies)('one that sometimes %s', (_, lie) => {
    const dice = random(1)
    const wrong = wrongAnswers(
      lie(plainStore(), () => dice.chance(3)),
      lines,
    )
    expect(wrong.length).toBeGreaterThan(0)
    for (const { line, key, got, expected } of wrong) {
      expect(lines[line - 1]).toBe(`GET ${key} ${expected}`)
      expect(expected.split(',')).not.toContain(got)
    }
  })
})

/** Everything that each GET can answer, and each key can hold at the end, over all orders of a block's lines. */
function allOutcomes(
  block: readonly Operation[],
  begin: ReadonlyMap<string, string>,
): [Map<number, Set<string>>, Set<string>] {
  const answers = new Map<number, Set<string>>()
  const ends = new Set<string>()
  const go = (rest: readonly Operation[], state: ReadonlyMap<string, string>): void => {
    if (rest.length === 0) ends.add(JSON.stringify([...state].sort()))
    for (const operation of rest) {
      const { kind, key, line, argument } = operation
      const next = new Map(state)
      if (kind === 'PUT') next.set(key, argument)
      if (kind === 'DELETE') next.delete(key)
      if (kind === 'GET') answers.set(line, (answers.get(line) ?? new Set()).add(state.get(key) ?? NOT_FOUND))
      go(
        rest.filter((other) => other !== operation),
        next,
      )
    }
  }
  go(block, begin)
  return [answers, ends]
}

test('what is listed is what all orders of the lines together can give, no more and no less', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const lines = [...generate({ lines: 15, keys: 2, block: 5, seed })]
    let begins = new Set(['[]'])
    for (const block of blocksOf(lines)) {
      const answers = new Map<number, Set<string>>()
      const ends = new Set<string>()
      for (const begin of begins) {
        const [some, end] = allOutcomes(block, new Map(JSON.parse(begin) as [string, string][]))
        for (const [line, values] of some) answers.set(line, new Set([...(answers.get(line) ?? []), ...values]))
        for (const one of end) ends.add(one)
      }
      for (const { kind, line, argument } of block) {
        if (kind === 'GET') expect(new Set(argument.split(','))).toEqual(answers.get(line))
      }
      begins = ends
    }
  }
})

test('a set of several values lasts until the next write', () => {
  const possible = new Map<string, readonly string[]>()
  const put = (value: string) => ({ kind: 'PUT', key: 'k', value }) as const
  const get = { kind: 'GET', key: 'k', value: '' } as const
  const remove = { kind: 'DELETE', key: 'k', value: NOT_FOUND } as const
  expect(linesOfBlock([put('a'), get, put('b')], possible)[1]).toBe('GET k NOT_FOUND,a,b')
  expect(linesOfBlock([get], possible)[0]).toBe('GET k a,b')
  expect(linesOfBlock([get, remove, put('c')], possible)[0]).toBe('GET k a,b,NOT_FOUND,c')
  expect(linesOfBlock([get], possible)[0]).toBe('GET k NOT_FOUND,c')
})

test('a barrier that was stopped lets nobody wait', () => {
  const barrier = new Barrier(2)
  barrier.stop()
  expect(barrier.arrive(3)).toBe(false)
  expect(barrier.done()).toBe(3)
})
