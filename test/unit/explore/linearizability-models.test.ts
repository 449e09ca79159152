import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkLinearizable, type HistoryOperation, type SequentialModel } from '../../../src/explore/linearizability.ts'
import { counter, deque, mutex, orderedMap, queue, register, set, stack } from '../../../src/explore/models.ts'

/** Operations as `name(arg, arg) = result`, one after the other. */
type Line = readonly [call: string, args: readonly unknown[], result?: unknown]

function inTurn(lines: readonly Line[]): HistoryOperation[] {
  return lines.map(([name, args, result], i) => ({ thread: 0, name, args, result, called: 2 * i, returned: 2 * i + 1 }))
}

function accepts<S>(model: SequentialModel<S>, ...lines: Line[]): void {
  expect(checkLinearizable(inTurn(lines), model).explanation).toBe('')
}

function refuses<S>(model: SequentialModel<S>, ...lines: Line[]): void {
  accepts(model, ...lines.slice(0, -1))
  expect(checkLinearizable(inTurn(lines), model)).toMatchObject({ ok: false, undecided: false })
}

describe('one operation after the other', () => {
  it('a register', () => {
    const cell = register(1)
    accepts(cell, ['read', [], 1], ['write', [2]], ['get', [], 2], ['exchange', [3], 2], ['set', [4]], ['read', [], 4])
    accepts(cell, ['compareAndSet', [2, 3], false], ['compareAndSet', [1, 3], true], ['read', [], 3])
    accepts(register([1]), ['read', [], [1]], ['compareAndSet', [[1], [2]], true], ['read', [], [2]])
    refuses(cell, ['write', [2]], ['read', [], 1])
    refuses(cell, ['exchange', [3], 3])
    refuses(cell, ['compareAndSet', [1, 3], true], ['compareAndSet', [1, 3], true])
    refuses(cell, ['compareAndSet', [1, 3], false])
  })

  it('a counter', () => {
    accepts(counter(5), ['increment', [], 6], ['increment', []], ['add', [3], 7], ['decrement', [], 9], ['get', [], 9])
    refuses(counter(), ['increment', [], 0])
    refuses(counter(), ['decrement', []], ['read', [], 0])
    refuses(counter(), ['add', [2], 2])
  })

  it('a stack, a queue and a deque', () => {
    accepts(stack([1, 2]), ['pop', [], 2], ['push', [3]], ['pop', [], 3], ['pop', [], 1], ['pop', [], undefined])
    accepts(stack([], 1), ['push', [3], true], ['push', [4], false], ['pop', [], 3])
    refuses(stack([1, 2]), ['pop', [], 1])
    refuses(stack(), ['push', [1], false])
    refuses(stack([1], 1), ['push', [1]])
    accepts(
      queue([1, 2]),
      ['dequeue', [], 1],
      ['enqueue', [3]],
      ['dequeue', [], 2],
      ['dequeue', [], 3],
      ['dequeue', []],
    )
    refuses(queue([1, 2]), ['dequeue', [], 2])
    refuses(queue([1, 2]), ['dequeue', []])
    accepts(deque([1, 2]), ['push', [3]], ['pop', [], 3], ['steal', [], 1], ['pop', [], 2], ['steal', []])
    accepts(deque(), ['pushFront', [1]], ['pushFront', [2]], ['popBack', [], 1], ['pushBack', [3]], ['popFront', [], 2])
    refuses(deque([1, 2]), ['steal', [], 2])
  })

  it('a set', () => {
    accepts(
      set([1]),
      ['add', [1], false],
      ['delete', [1], true],
      ['has', [1], false],
      ['add', [1]],
      ['contains', [1], true],
    )
    refuses(set(), ['add', [1], true], ['add', [1], true])
    refuses(set(), ['remove', [1], true])
    refuses(set(), ['has', [1], true])
  })

  it('a mutex', () => {
    accepts(mutex(), ['lock', []], ['unlock', []], ['tryLock', [], true], ['tryLock', [], false], ['unlock', []])
    refuses(mutex(), ['lock', []], ['lock', []])
    refuses(mutex(), ['unlock', []])
    refuses(mutex(), ['tryLock', [], false])
    const [first, second] = inTurn([
      ['lock', []],
      ['unlock', []],
    ])
    expect(checkLinearizable([first!, { ...second!, thread: 1 }], mutex()).ok).toBe(false)
  })

  it('an ordered map', () => {
    const map = orderedMap({ initial: [[2, 'b'], [1, 'a'], [10, 'j']] }) // prettier-ignore
    const all = [[1, 'a'], [2, 'b'], [10, 'j']] // prettier-ignore
    accepts(map, ['get', [2], 'b'], ['get', [3]], ['has', [3], false], ['size', [], 3], ['range', [], all])
    accepts(
      map,
      ['range', [2, 10], [[2, 'b']]],
      ['scan', [2], all.slice(1)],
      ['entries', [undefined, 2], all.slice(0, 1)],
    )
    accepts(
      map,
      ['range', [{ gt: 1, lte: 10, reverse: true, limit: 1 }], [[10, 'j']]],
      ['scan', [{ gte: 1, lt: 2 }], [[1, 'a']]],
    )
    accepts(map, ['delete', [1], true], ['delete', [1], false], ['set', [5, 'e']], ['scan', [], [[2, 'b'], [5, 'e'], [10, 'j']]]) // prettier-ignore
    accepts(map, ['setIfAbsent', [1, 'z'], 'a'], ['setIfAbsent', [3, 'c'], undefined], ['get', [3], 'c'])
    accepts(
      map,
      ['compareAndSet', [3, undefined, 'c'], true],
      ['compareAndSet', [3, 'c', undefined], true],
      ['has', [3], false],
    )
    accepts(map, ['compareAndSet', [1, 'b', 'c'], false], ['compareAndSet', [1, undefined, 'c'], false])
    const louder = (old: unknown): unknown => (old === undefined ? 'new' : `${old as string}!`)
    accepts(
      map,
      ['update', [1, louder], 'a!'],
      ['update', [3, louder], 'new'],
      ['update', [3, () => undefined]],
      ['has', [3], false],
    )
    accepts(map, ['clear', []], ['size', [], 0], ['range', [], []])
    refuses(map, ['update', [1, louder], 'b!'])
    refuses(map, ['range', [1, 3], [[1, 'a']]])
    refuses(map, ['delete', [1], true], ['size', [], 3])
  })

  it('orders strings by code points, and anything as it is told', () => {
    const keys = ['a', 'ab', 'b', '\u{e000}', '\u{ffff}', '\u{10000}', '\u{10000}a']
    const initial = keys.map((key) => [key, 1] as const)
    accepts(orderedMap({ initial: initial.toReversed() }), ['range', [], initial.map((pair) => [...pair])])
    const backwards = orderedMap({ initial, compare: (a, b) => (a === b ? 0 : (a as string) < (b as string) ? 1 : -1) })
    accepts(backwards, ['range', ['b', 'a'], [['b', 1], ['ab', 1]]]) // prettier-ignore
  })
})

/** A draft of an operation, to be given a result or not. */
interface Draft {
  readonly name: string
  readonly args: readonly unknown[]
}

interface Subject {
  readonly model: SequentialModel<unknown>
  readonly drafts: readonly Draft[]
  /** Every result that an operation could have. */
  readonly results: readonly unknown[]
}

function subject<S>(model: SequentialModel<S>, drafts: readonly string[], results: readonly unknown[]): Subject {
  const parsed = drafts.map((draft) => {
    const [name, ...args] = draft.split(' ')
    return { name: name!, args: args.map(Number) }
  })
  return { model: model as SequentialModel<unknown>, drafts: parsed, results }
}

const grow = (old: unknown): unknown => (((old as number | undefined) ?? 0) + 1) % 3 || undefined
const mapSubject = subject(
  orderedMap(),
  ['get 1', 'set 1 1', 'set 2 2', 'delete 1', 'setIfAbsent 1 2', 'compareAndSet 1 1 2', 'has 2', 'size', 'range 1 2'],
  [undefined, 1, 2, 0, true, false, [], [[1, 1]], [[1, 2]]],
)
const subjects: Subject[] = [
  subject(
    register(),
    ['read', 'write 1', 'write 2', 'exchange 1', 'compareAndSet 1 2', 'compareAndSet 0 1'],
    [0, 1, 2, true, false],
  ),
  subject(counter(), ['read', 'increment', 'decrement', 'add 2'], [-1, 0, 1, 2, 3, undefined]),
  subject(stack(), ['push 1', 'push 2', 'pop', 'pop'], [undefined, 1, 2]),
  subject(queue([], 2), ['enqueue 1', 'enqueue 2', 'dequeue', 'dequeue'], [true, false, undefined, 1, 2]),
  subject(deque([0]), ['push 1', 'push 2', 'pop', 'steal', 'pushFront 3'], [undefined, 0, 1, 2, 3]),
  subject(set(), ['add 1', 'add 2', 'delete 1', 'has 1', 'has 2'], [true, false]),
  subject(mutex(), ['lock', 'tryLock', 'unlock'], [undefined, true, false]),
  { ...mapSubject, drafts: [...mapSubject.drafts, { name: 'update', args: [1, grow] }] },
]

/** What the checker does, in the plainest way: tries every order of the operations. */
function everyOrder<S>(rest: readonly HistoryOperation[], model: SequentialModel<S>, state: S): boolean {
  if (rest.every(({ returned }) => returned === Infinity)) return true
  return rest.some((operation) => {
    if (rest.some((other) => other.returned < operation.called)) return false
    const next = model.step(state, operation)
    const others = rest.filter((other) => other !== operation)
    return next !== undefined && everyOrder(others, model, next)
  })
}

const shape = fc.record({
  draft: fc.nat(),
  result: fc.nat(),
  thread: fc.integer({ min: 0, max: 2 }),
  called: fc.integer({ min: 0, max: 12 }),
  length: fc.integer({ min: 1, max: 12 }),
  killed: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  moment: fc.nat(),
})
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never

function operationsOf({ drafts, results }: Subject, shapes: readonly Shape[]): HistoryOperation[] {
  return shapes.map(({ draft, result, thread, called, length, killed }, i) => ({
    thread,
    ...drafts[draft % drafts.length]!,
    result: results[result % results.length],
    called: called * 10 + i,
    returned: killed ? Infinity : called * 10 + i + length * 10,
  }))
}

/**
 * Operations that each took effect at a moment between its call and its return, or, if it never returned, perhaps not.
 * Left out is what could not have taken effect at its moment, as locking what is locked.
 */
function valid(subject: Subject, shapes: readonly Shape[]): HistoryOperation[] {
  const plan = operationsOf(subject, shapes).map((operation, i) => {
    const { moment, result } = shapes[i]!
    const span = Math.min(1000, operation.returned - operation.called - 1)
    return { operation, first: result, moment: operation.called + (moment % span) + i / 100 }
  })
  const history: HistoryOperation[] = []
  let state = subject.model.init()
  for (const { operation, first, moment } of plan.sort((a, b) => a.moment - b.moment)) {
    if (operation.returned === Infinity && Math.floor(moment) % 2 === 0) {
      history.push(operation)
      continue
    }
    for (let k = 0; k < subject.results.length; k++) {
      const attempt = { ...operation, result: subject.results[(first + k) % subject.results.length] }
      const next = subject.model.step(state, attempt)
      if (next === undefined) continue
      history.push(attempt)
      state = next
      break
    }
  }
  return history
}

describe('several at a time', () => {
  for (const subject of subjects) {
    it(`${subject.model.name}: agrees with trying every order`, () => {
      const found = { accepted: 0, refused: 0 }
      fc.assert(
        fc.property(fc.array(shape, { minLength: 1, maxLength: 6 }), (shapes) => {
          const history = operationsOf(subject, shapes)
          const expected = everyOrder(history, subject.model, subject.model.init())
          found[expected ? 'accepted' : 'refused']++
          const verdict = checkLinearizable(history, subject.model)
          expect(verdict).toMatchObject({ ok: expected, undecided: false })
          expect(verdict.explanation === '').toBe(expected)
        }),
        { seed: 7, numRuns: 1500 },
      )
      expect(found.accepted).toBeGreaterThan(60)
      expect(found.refused).toBeGreaterThan(60)
    })

    it(`${subject.model.name}: accepts what took effect, and agrees about a changed result`, () => {
      let refused = 0
      fc.assert(
        fc.property(fc.array(shape, { minLength: 4, maxLength: 7 }), fc.nat(), fc.nat(), (shapes, at, other) => {
          const history = valid(subject, shapes)
          if (history.length === 0) return
          expect(checkLinearizable(history, subject.model).ok).toBe(true)
          const place = at % history.length
          const result = subject.results[other % subject.results.length]
          const changed = history.with(place, { ...history[place]!, result })
          const expected = everyOrder(changed, subject.model, subject.model.init())
          refused += Number(!expected)
          expect(checkLinearizable(changed, subject.model).ok).toBe(expected)
        }),
        { seed: 11, numRuns: 500 },
      )
      expect(refused).toBeGreaterThan(20)
    })
  }
})

/** A history of operations on a map of a few keys that do take effect at one moment each, four at a time. */
function fourThreads(count: number): HistoryOperation[] {
  const drafts: Draft[] = [
    { name: 'get', args: [] },
    { name: 'has', args: [] },
    { name: 'set', args: ['v'] },
    { name: 'delete', args: [] },
    { name: 'setIfAbsent', args: ['w'] },
    { name: 'compareAndSet', args: ['v', 'x'] },
  ]
  const history: HistoryOperation[] = []
  const values = new Map<number, string>()
  for (let i = 0; i < count; i++) {
    const key = (i * 5) % 3
    const { name, args } = drafts[(i * 7 + (i >> 3)) % drafts.length]!
    const old = values.get(key)
    const written = args.map((arg) => `${arg as string}${i % 4}`)
    let result: unknown = old
    if (name === 'has' || name === 'delete') result = old !== undefined
    if (name === 'set') result = undefined
    if (name === 'compareAndSet') result = old === written[0]
    if (name === 'delete') values.delete(key)
    if (name === 'set' || (name === 'setIfAbsent' && old === undefined)) values.set(key, written[0]!)
    if (name === 'compareAndSet' && result === true) values.set(key, written[1]!)
    const moments = { called: i * 10 - (i % 4) * 9, returned: i * 10 + 31 - (i % 3) * 9 }
    history.push({ thread: i % 4, name, args: [key, ...written], result, ...moments })
  }
  return history
}

describe('how long it takes', () => {
  it('decides long histories of four threads', () => {
    const history = fourThreads(4000)
    expect(checkLinearizable(history, orderedMap()).ok).toBe(true)
    const read = history.findLastIndex(({ name, result }) => name === 'get' && result !== undefined)
    const wrong = history.with(read, { ...history[read]!, result: 'never written' })
    expect(checkLinearizable(wrong, orderedMap())).toMatchObject({ ok: false, undecided: false })
  })
})
