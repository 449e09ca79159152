import { describe, expect, it, vi } from 'vitest'
import type { BankOptions } from '../../../src/cli/bank.ts'
import { audit } from '../../../src/cli/bank/audit.ts'
import { accountKey, jointKey, opening, pocketKey, type Plan } from '../../../src/cli/bank/plan.ts'
import { runBank } from '../../../src/cli/bank/run.ts'
import { Screen } from '../../../src/cli/screen.ts'
import { program } from '../crew.ts'
import { ReferenceStore } from '../reference/reference-store.ts'
import type { Fault } from '../reference/one-key-store.ts'
import { viewOf } from './view.ts'

const options: BankOptions = { seconds: 4, workers: 3, seed: 3, accounts: 8, memory: 32 * 2 ** 20 }

/** A bank on a reference store: its exit code, its line, and what it complained of. */
async function play(fault: Fault, seed: number): Promise<{ code: number; line: string; complaints: string[] }> {
  const lines: string[] = []
  const complaints: string[] = []
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => complaints.push(String(text)) > 0)
  const worker = program('bank')
  try {
    const screen = new Screen({ write: (text) => lines.push(text) })
    const code = await runBank({ ...options, seed }, screen, {
      worker,
      data: { fault },
      view: (store) => viewOf(store, fault),
    })
    return { code, line: lines.join(''), complaints }
  } finally {
    stderr.mockRestore()
  }
}

describe('a bank with real workers, some of which are killed', () => {
  it('finds nothing wrong with a store that is right', { timeout: 120_000 }, async () => {
    const { code, line, complaints } = await play('none', 3)
    expect(complaints).toEqual([])
    expect(code).toBe(0)
    expect(line).toMatch(/^bank: .*, 3 workers, [\d,]+ operations, [\d,]+ transfers, .* 0 violations, seed 3\n$/)
    expect(Number(/ (\d+) kills/.exec(line)![1])).toBeGreaterThan(0)
  })

  it.each([
    ['lost updates', /the total is/],
    ['torn commits', /the total is|pockets of slot/],
    ['write skew', /joint account \d is overdrawn/],
    ['old snapshots', /has made \d+ transfers, and finds \d+/],
  ] as const)('finds %s', { timeout: 300_000 }, async (fault, complaint) => {
    for (let seed = 1; ; seed++) {
      const { complaints } = await play(fault, seed)
      if (complaints.some((text) => complaint.test(text))) return
      expect(seed, `nothing like ${complaint} in ${seed} runs`).toBeLessThan(30)
    }
  })
})

describe('an audit', () => {
  const plan: Plan = { accounts: 4, slots: 2 }
  const store = new ReferenceStore()
  store.batch(opening(plan))
  const changed = (...changes: [string, string | undefined][]): readonly string[] => {
    const entries = new Map(store.entries())
    for (const [key, value] of changes) {
      if (value === undefined) entries.delete(key)
      else entries.set(key, value)
    }
    return audit([...entries].sort(), plan).problems
  }

  it('accepts the first day, and transfers', () => {
    expect(changed()).toEqual([])
    expect(changed([accountKey(0), undefined], [accountKey(1), '200'])).toEqual([])
    expect(changed([jointKey(1, 1), '-60'], [accountKey(1), '160'])).toEqual([])
  })

  it.each([
    ['money made', [[accountKey(0), '101']], 'the total is 601, not 600'],
    [
      'an account overdrawn',
      [
        [accountKey(0), '-1'],
        [accountKey(1), '201'],
      ],
      'a/00000 holds -1',
    ],
    [
      'a joint account overdrawn',
      [
        [jointKey(1, 1), '-101'],
        [accountKey(1), '201'],
      ],
      'joint account 1 is overdrawn: -1',
    ],
    ['half a batch', [[pocketKey(1, 2), undefined]], 'the pockets of slot 1 hold 200, not 300'],
    [
      'an account of nothing',
      [
        [accountKey(0), '0'],
        [accountKey(1), '200'],
      ],
      "a/00000 is '0'",
    ],
    ['a stranger', [['z/0', '1']], 'z/0 is no part of the bank'],
  ] as [string, [string, string | undefined][], string][])('refuses %s', (_, changes, problem) => {
    expect(changed(...changes)).toContain(problem)
  })
})
