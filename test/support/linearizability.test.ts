import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHistory, step, type Operation, type OperationName } from './linearizability.ts'

/**
 * Reads a history from a drawing, one line for each thread. An operation reaches from its `[` to its `]`, or to a `~`
 * where its thread was killed: `[set 1]`, `[get = 1]`, `[delete = 1]`, `[cas 1 2 = 0]`, `[absent? 1 = 0]`, `[update 1 2]`.
 */
function draw(drawing: string): Operation[] {
  const history: Operation[] = []
  const lines = drawing.split('\n').filter((line) => line.trim() !== '')
  lines.forEach((line, thread) => {
    for (const match of line.matchAll(/\[([^\]~]*)([\]~])/g)) {
      const called = match.index * 100 + thread
      const returned = match[2] === '~' ? Infinity : (match.index + match[0].length - 1) * 100 + thread
      history.push({ thread, ...parse(match[1]!), called, returned })
    }
  })
  return history
}

function parse(text: string): Pick<Operation, 'name' | 'value' | 'expected' | 'result'> {
  const [word, ...numbers] = text.replace('=', ' ').trim().split(/\s+/)
  const [a = 0, b = 0, c = 0] = numbers.map(Number)
  if (word === 'cas') return { name: 'compareAndSet', expected: a, value: b, result: c }
  if (word === 'update') return { name: 'update', expected: 0, result: a, value: b }
  if (word === 'absent?') return { name: 'setIfAbsent', expected: 0, value: a, result: b }
  if (word === 'set') return { name: 'set', expected: 0, value: a, result: 0 }
  return { name: word as OperationName, expected: 0, value: 0, result: a }
}

const accepted: Record<string, string> = {
  nothing: '',
  'one thread alone': '[get = 0] [set 1] [get = 1] [has = 1] [delete = 1] [delete = 0] [get = 0]',
  'a read that overlaps a write sees the old value': `
    [  set 1   ]
      [get = 0]`,
  'a read that overlaps a write sees the new value': `
    [  set 1    ]
      [get = 1]`,
  'two writes that overlap, read in the other order': `
    [   set 1    ]  [get = 1]
      [set 2]`,
  'a compareAndSet that fails against an overlapping write': `
    [set 1] [     set 2      ]
               [cas 2 3 = 0]     [get = 2]`,
  'two updates, one after the other': `
    [update 0 1]  [get = 2]
      [update 1 2]`,
  'one winner of two setIfAbsent': `
    [absent? 1 = 2]
     [absent? 2 = 0]`,
  'a killed write that took effect later': `
    [set 1~
      [get = 0] [get = 0] [get = 1]`,
  'a killed write that never took effect': `
    [set 1~
      [get = 0] [set 2] [get = 2]`,
  'a killed delete between two reads': `
    [set 1]  [delete~
               [get = 1] [get = 0] [absent? 3 = 0]`,
  'a killed update whose value is seen': `
    [set 1]  [update 0 7~
               [get = 1] [get = 7]`,
}

const refused: Record<string, string> = {
  'a read of a value nobody wrote': '[set 1] [get = 2]',
  'a stale read after the write returned': `
    [set 1]  [set 2]
                       [get = 1]`,
  'a read that goes back to the old value': `
    [set 1]   [                   set 2                   ]
                [get = 2]  [get = 1]`,
  'two readers who see two overlapping writes in different orders': `
    [     set 1      ]                       [get = 2]
      [     set 2      ]
                        [get = 1] [get = 2] [get = 1]`,
  'a lost update': `
    [update 0 1]
     [update 0 2]`,
  'a write lost before a later read': '[set 1] [get = 1] [get = 0]',
  'a value deleted twice': `
    [set 1]  [delete = 1]
              [delete = 1]`,
  'a delete that found nothing though the key was there': '[set 1] [delete = 0]',
  'a deleted value that comes back': '[set 1] [delete = 1] [get = 1]',
  'two winners of compareAndSet': `
    [set 1]  [cas 1 2 = 1]
              [cas 1 3 = 1]`,
  'a compareAndSet that fails though nothing else ran': '[set 1] [cas 1 2 = 0]',
  'two winners of setIfAbsent': `
    [absent? 1 = 0]
     [absent? 2 = 0]`,
  'a setIfAbsent that overwrites': '[set 1] [absent? 2 = 1] [get = 2]',
  'a killed write seen before its call': `
                 [set 1~
    [get = 1]`,
  'a killed write that takes effect twice': `
    [set 1~
      [get = 1] [set 2] [get = 1]`,
}

describe('the checker of histories', () => {
  for (const [name, drawing] of Object.entries(accepted)) {
    it(`accepts: ${name}`, () => {
      expect(checkHistory(draw(drawing))).toMatchObject({ ok: true, undecided: false })
    })
  }

  for (const [name, drawing] of Object.entries(refused)) {
    it(`refuses: ${name}`, () => {
      expect(checkHistory(draw(drawing))).toMatchObject({ ok: false, undecided: false })
    })
  }

  it('says what it could not explain', () => {
    const { explanation } = checkHistory(draw('[set 1] [cas 2 3 = 0] [get = 2]'))
    expect(explanation).toMatch(
      /2 of 3 operations can be put in order.*value is 1.*thread 0 \[\d+, \d+\] get\(\) = 2$/s,
    )
  })

  it('starts from the value it is told', () => {
    expect(checkHistory(draw('[get = 5]'), 5).ok).toBe(true)
    expect(checkHistory(draw('[get = 0]'), 5).ok).toBe(false)
  })

  it('gives up when told to, and says so', () => {
    const drawing = `
      [        set 1        ] [get = 9]
       [        set 2        ]
        [        set 3        ]
         [        set 4        ]`
    expect(checkHistory(draw(drawing), 0, 3)).toMatchObject({ ok: false, undecided: true })
    expect(checkHistory(draw(drawing))).toMatchObject({ ok: false, undecided: false })
  })

  it('agrees with trying every order, on small histories', () => {
    let found = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(smallHistory, (history) => {
        const expected = everyOrder(history, 0)
        found = { accepted: found.accepted + Number(expected), refused: found.refused + Number(!expected) }
        expect(checkHistory(history).ok).toBe(expected)
      }),
      { seed: 7, numRuns: 4000 },
    )
    expect(found.accepted).toBeGreaterThan(300)
    expect(found.refused).toBeGreaterThan(300)
  })

  it('decides long histories of four threads', () => {
    expect(checkHistory(fourThreads(4000)).ok).toBe(true)
    const history = fourThreads(4000)
    const read = history.findLastIndex((operation) => operation.name === 'get' && operation.result !== 0)
    history[read] = { ...history[read]!, result: 1_000_000 }
    expect(checkHistory(history)).toMatchObject({ ok: false, undecided: false })
  })
})

const names: OperationName[] = ['get', 'has', 'set', 'delete', 'setIfAbsent', 'compareAndSet', 'update']

const smallHistory: fc.Arbitrary<Operation[]> = fc
  .array(
    fc.record({
      name: fc.constantFrom(...names),
      thread: fc.integer({ min: 0, max: 2 }),
      value: fc.integer({ min: 0, max: 2 }),
      expected: fc.integer({ min: 0, max: 2 }),
      result: fc.integer({ min: 0, max: 2 }),
      called: fc.integer({ min: 0, max: 12 }),
      length: fc.integer({ min: 1, max: 12 }),
      killed: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((drafts) =>
    drafts.map(({ length, killed, ...draft }, i) => {
      const called = draft.called * 10 + i
      const value = draft.name === 'set' || draft.name === 'setIfAbsent' ? draft.value + 1 : draft.value
      return { ...draft, value, called, returned: killed ? Infinity : called + length * 10 }
    }),
  )

/** What the checker does, in the plainest way: tries every order of the operations. */
function everyOrder(rest: readonly Operation[], value: number): boolean {
  if (rest.every((operation) => operation.returned === Infinity)) return true
  return rest.some((operation) => {
    if (rest.some((other) => other.returned < operation.called)) return false
    const next = step(operation, value)
    return next >= 0 && everyOrder(without(rest, operation), next)
  })
}

function without<T>(items: readonly T[], item: T): T[] {
  return items.filter((other) => other !== item)
}

/** A history of operations that do take effect at one moment each, four at a time. */
function fourThreads(count: number): Operation[] {
  const history: Operation[] = []
  let value = 0
  for (let i = 0; i < count; i++) {
    const name = names[(i * 7 + (i >> 3)) % names.length]!
    const written = name === 'update' && i % 3 === 0 ? 0 : i + 1
    const draft = {
      thread: i % 4,
      name,
      value: written,
      expected: i % 2 === 0 ? value : 7,
      called: i * 10 - (i % 4) * 9,
    }
    const found = { ...draft, result: 0, returned: i * 10 + 31 - (i % 3) * 9 }
    const result = name === 'compareAndSet' ? Number(value === draft.expected) : value
    const operation = { ...found, result: name === 'has' || name === 'delete' ? Number(value !== 0) : result }
    value = step(operation, value)
    history.push(operation)
  }
  return history
}
