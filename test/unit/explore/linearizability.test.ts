import { describe, expect, it } from 'vitest'
import { checkLinearizable, historyKey, type HistoryOperation } from '../../../src/explore/linearizability.ts'
import { counter, orderedMap, partitionBy, register } from '../../../src/explore/models.ts'

/**
 * Reads a history from a drawing, one line for each thread. An operation reaches from its `[` to its `]`, or to a `~`
 * where its thread was killed: `[set 1]`, `[get = 1]`, `[delete = 1]`, `[cas 1 2 = 0]`, `[absent? 1 = 0]`,
 * `[update 1 2]` (shown 1, gave 2). All are on one key of a map, where 0 stands for absent.
 */
function draw(drawing: string): HistoryOperation[] {
  const history: HistoryOperation[] = []
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

function parse(text: string): Pick<HistoryOperation, 'name' | 'args' | 'result'> {
  const [word, ...numbers] = text.replace('=', ' ').trim().split(/\s+/)
  const [a, b, c] = numbers.map(Number).map((number) => (number === 0 ? undefined : number))
  switch (word) {
    case 'cas':
      return { name: 'compareAndSet', args: ['k', a, b], result: c !== undefined }
    case 'update':
      return { name: 'update', args: ['k', (old: unknown) => (old === a ? b : 'unforeseen')], result: b }
    case 'absent?':
      return { name: 'setIfAbsent', args: ['k', a], result: b }
    case 'set':
      return { name: 'set', args: ['k', a], result: undefined }
    default:
      return { name: word!, args: ['k'], result: word === 'get' ? a : a !== undefined }
  }
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
    [set 1]  [update 1 7~
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

const model = orderedMap()

describe('the checker of histories', () => {
  for (const [name, drawing] of Object.entries(accepted)) {
    it(`accepts: ${name}`, () => {
      expect(checkLinearizable(draw(drawing), model)).toMatchObject({ ok: true, undecided: false, explanation: '' })
    })
  }

  for (const [name, drawing] of Object.entries(refused)) {
    it(`refuses: ${name}`, () => {
      expect(checkLinearizable(draw(drawing), model)).toMatchObject({ ok: false, undecided: false })
    })
  }

  it('says what it could not explain', () => {
    const { explanation } = checkLinearizable(draw('[set 1] [cas 2 3 = 0] [get = 2]'), model)
    expect(explanation).toBe(
      [
        'no order of the operations explains this history (model: ordered map)',
        '2 of 3 operations can be put in order, the last of them:',
        '  thread 0 [0, 600] set("k", 1)',
        '  thread 0 [800, 2000] compareAndSet("k", 2, 3) = false',
        'then the state is {"k": 1}, and none of these leads further:',
        '  thread 0 [2200, 3000] get("k") = 2',
      ].join('\n'),
    )
  })

  it('starts from the state it is told', () => {
    expect(checkLinearizable(draw('[get = 5]'), model, ['k', 5]).ok).toBe(true)
    expect(checkLinearizable(draw('[get = 0]'), model, ['k', 5]).ok).toBe(false)
  })

  it('gives up when told to, and says so', () => {
    const drawing = `
      [        set 1        ] [get = 9]
       [        set 2        ]
        [        set 3        ]
         [        set 4        ]`
    const verdict = checkLinearizable(draw(drawing), model, undefined, 3)
    expect(verdict).toMatchObject({ ok: false, undecided: true })
    expect(verdict.explanation).toMatch(/^the search was given up after 3 configurations\n3 of 5 operations/)
    expect(checkLinearizable(draw(drawing), model)).toMatchObject({ ok: false, undecided: false })
  })

  it('takes an operation that threw to have changed nothing', () => {
    const [write, read] = draw('[set 1] [get = 0]')
    expect(checkLinearizable([write!, read!], model).ok).toBe(false)
    expect(checkLinearizable([{ ...write!, threw: new Error('full') }, read!], model).ok).toBe(true)
  })

  it('refuses what is no history, or none of the model', () => {
    expect(() => checkLinearizable([{ ...draw('[set 1]')[0]!, returned: 0 }], model)).toThrow(/return after its call/)
    expect(() => checkLinearizable(draw('[gte = 1]'), model)).toThrow('the model "ordered map" has no operation "gte"')
  })

  it('remembers what led nowhere, so that many overlapping operations are decided', () => {
    const adds = Array.from({ length: 14 }, (_, i) => operation(i, 'add', [1], undefined, 0 + i, 100 + i))
    const read = operation(0, 'read', [], 15, 200, 201)
    const verdict = checkLinearizable([...adds, read], counter())
    expect(verdict).toMatchObject({ ok: false, undecided: false })
    expect(verdict.configurations).toBeLessThan(14 * 2 ** 14)
  })
})

function operation(
  thread: number,
  name: string,
  args: unknown[],
  result: unknown,
  called: number,
  returned: number,
): HistoryOperation {
  return { thread, name, args, result, called, returned }
}

describe('key by key', () => {
  const history = [
    operation(0, 'set', ['a', 1], undefined, 0, 9),
    operation(1, 'set', ['b', 1], undefined, 1, 2),
    operation(1, 'get', ['a'], 1, 3, 4),
    operation(1, 'get', ['b'], undefined, 5, 6),
  ]

  it('finds the key that cannot be explained', () => {
    const verdict = checkLinearizable(history, partitionBy(orderedMap()))
    expect(verdict).toMatchObject({ ok: false, undecided: false })
    expect(verdict.explanation).toMatch(/^of "b": no order/)
    expect(checkLinearizable(history.slice(0, 3), partitionBy(orderedMap())).ok).toBe(true)
  })

  it('prefers a refusal over giving up on another key', () => {
    expect(checkLinearizable(history, partitionBy(orderedMap()), undefined, 1)).toMatchObject({ undecided: false })
    const sets = [...history.slice(0, 3), operation(2, 'set', ['a', 2], undefined, 0.5, 8)]
    expect(checkLinearizable(sets, partitionBy(orderedMap()), undefined, 1)).toMatchObject({
      ok: false,
      undecided: true,
    })
  })

  it('refuses operations that span keys', () => {
    const byKey = partitionBy(orderedMap())
    for (const name of ['range', 'scan', 'entries', 'size', 'clear']) {
      expect(() => checkLinearizable([operation(0, name, ['a'], [], 0, 1)], byKey)).toThrow(/spans keys/)
    }
    const byName = partitionBy(register(), () => undefined)
    expect(() => checkLinearizable([operation(0, 'read', [], 0, 0, 1)], byName)).toThrow(/"read" spans keys/)
  })
})

describe('the key of a history', () => {
  it('is the same if the same operations precede each other', () => {
    const one = draw(`
      [set 1]    [get = 1]
         [set 2]`)
    const other = draw(`
           [ set 1 ]    [get = 1]
       [set 2    ]`)
    expect(historyKey(other)).toBe(historyKey(one))
    expect(historyKey(one.toReversed())).toBe(historyKey(one))
  })

  it('differs with the order, the operations, the results and the threads', () => {
    const drawings = [
      `
      [set 1]
        [set 2]`,
      `
      [set 1]
               [set 2]`,
      `
               [set 1]
      [set 2]`,
      `
      [set 1]
        [set 3]`,
      `
      [set 1]
        [get = 3]`,
      `
      [set 1]
        [get = 2]`,
      `
      [set 1]
        [get~`,
      `
        [set 2]
      [set 1]`,
    ]
    expect(new Set(drawings.map((drawing) => historyKey(draw(drawing)))).size).toBe(drawings.length)
  })

  it('compares values by what they hold', () => {
    const scan = (result: unknown): string => historyKey([operation(0, 'scan', [], result, 0, 1)])
    expect(scan([['a', 1]])).toBe(scan([['a', 1]]))
    expect(scan([['a', 1]])).not.toBe(scan([['a', '1']]))
    expect(scan(new Uint8Array([1]))).toBe(scan(new Uint8Array([1])))
    expect(scan({ a: 1, b: undefined })).toBe(scan({ b: undefined, a: 1 }))
    expect(
      new Set([0, -0, '0', 0n, null, undefined, 'undefined', false, Symbol('0'), [], {}, () => 0, new Map()].map(scan))
        .size,
    ).toBe(13)
  })
})
