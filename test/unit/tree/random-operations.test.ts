import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { Engine } from '../../../src/store/engine.ts'
import { PUT_ABSENT } from '../../../src/tree/tree.ts'
import { entries, faults, firstEngine, get, put, remove, wrongCounts } from './engines.ts'
import { keys, textOf } from './keys.ts'
import { random } from '../../support/random.ts'

interface Step {
  readonly kind: 'put' | 'absent' | 'remove' | 'get' | 'clean'
  readonly key: Uint8Array
  readonly who: number
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('put', 'put', 'put', 'absent', 'remove', 'remove', 'get', 'clean'),
    key: keys,
    who: fc.nat(1),
  }) as fc.Arbitrary<Step>,
  { minLength: 60, maxLength: 120 },
)

function cleanAll({ log: { segments }, cleaner }: Engine): void {
  for (let segment = segments.first; segment < segments.used(); segment++) cleaner.clean(segment, false)
}

function run(engine: Engine, { kind, key }: Step, value: string, model: Map<string, string>): void {
  const text = textOf(key)
  if (kind === 'put') {
    put(engine, key, value)
    model.set(text, value)
  } else if (kind === 'absent') {
    expect(put(engine, key, value, PUT_ABSENT)).toBe(!model.has(text))
    if (!model.has(text)) model.set(text, value)
  } else if (kind === 'remove') expect(remove(engine, key)).toBe(model.delete(text))
  else if (kind === 'clean') cleanAll(engine)
  expect(get(engine, key)).toBe(model.get(text))
}

const inOrder = (model: Map<string, string>): [string, string][] => [...model].sort(([a], [b]) => (a < b ? -1 : 1))

describe('random operations on tiny pages', () => {
  it('leave a whole tree after each of them, with just what the model has', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const first = firstEngine({ leafSlots: 1 })
        const engines = [first, new Engine(first.arena, 2)]
        const model = new Map<string, string>()
        all.forEach((step, i) => {
          run(engines[step.who]!, step, `value ${i}`, model)
          const report = first.verify()
          expect(report.problems).toEqual([])
          expect([report.entries, report.leakedWords, report.leakedPageIds]).toEqual([model.size, 0, 0])
          expect(first.size()).toBe(model.size)
        })
        expect(entries(first)).toEqual(inOrder(model))
        expect(entries(engines[1]!, true)).toEqual(inOrder(model).reverse())
        expect([...faults(first), ...wrongCounts(first)]).toEqual([])
      }),
      { seed: 1, numRuns: 15 },
    )
  })

  it.each([
    { leafEntries: 2, leafSlots: 1, innerEntries: 4 },
    { leafEntries: 4, leafSlots: 2, innerEntries: 4 },
    { leafEntries: 8, leafSlots: 5, innerEntries: 6 },
    { leafEntries: 64, leafSlots: 3, innerEntries: 5 },
  ])('run every kind of structural change there is: %j', (tuning) => {
    const engine = firstEngine({ ...tuning, pageIds: 2000 })
    const { arena } = engine
    const model = new Map<string, string>()
    const rng = random(tuning.leafEntries)
    for (let phase = 0; phase < 6; phase++) {
      for (let i = 0; i < 350; i++) {
        const key = `${rng.int(300)}`
        if (rng.chance(phase % 2 === 0 ? 85 : 10)) {
          put(engine, key, `${phase} ${i}`)
          model.set(key, `${phase} ${i}`)
        } else expect(remove(engine, key)).toBe(model.delete(key))
        if (i % 50 === 0) expect(engine.verify().problems).toEqual([])
      }
      expect(entries(engine)).toEqual(inOrder(model))
    }
    expect([...faults(engine), ...wrongCounts(engine)]).toEqual([])
    for (const key of model.keys()) remove(engine, key)
    expect(faults(engine)).toEqual([])
    for (const name of [
      'splits',
      'rootSplits',
      'merges',
      'rootCollapses',
      'pageIdsReused',
      'consolidations',
    ] as const) {
      expect(`${name} ${sumCounter(arena, COUNTER[name]) > 0}`).toBe(`${name} true`)
    }
  })
})
