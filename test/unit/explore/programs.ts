/** Small random programs for virtual threads, written as coroutines by hand: the search is tested without the transform. */
import { ADD, COMPARE_EXCHANGE, EXCHANGE, LOAD, NOTIFY, STORE } from '../../../src/explore/events.ts'
import { op } from '../../../src/explore/history.ts'
import { $c, $is, type Coroutine } from '../../../src/explore/language.ts'
import { $exec, $pre, $wait } from '../../../src/explore/steps.ts'
import type { Random } from '../../../src/explore/random.ts'

type Instruction =
  | {
      readonly kind: 'load' | 'exchange' | 'add' | 'store' | 'cas' | 'wait' | 'notify'
      readonly word: number
      readonly value: number
    }
  /** Skips the next instructions unless the register is `value`. */
  | { readonly kind: 'unless'; readonly value: number; readonly skip: number }

export interface Program {
  readonly threads: readonly (readonly (readonly Instruction[])[])[]
}

const KINDS = ['load', 'load', 'store', 'store', 'cas', 'add', 'exchange', 'unless'] as const
const WAITING = [...KINDS, 'wait', 'wait', 'notify', 'notify'] as const

function instruction(random: Random, words: number, kinds: readonly (typeof WAITING)[number][]): Instruction {
  const kind = kinds[random.below(kinds.length)]!
  const value = random.below(3)
  return kind === 'unless' ? { kind, value, skip: 1 + random.below(2) } : { kind, word: random.below(words), value }
}

/**
 * @param most steps of all threads together, about
 * @param mostThreads how many at most
 * @param waiting whether threads also wait, with a time-out, and notify
 */
export function randomProgram(random: Random, most: number, mostThreads = 3, waiting = false): Program {
  const threads = 2 + random.below(mostThreads - 1)
  const words = 1 + random.below(3)
  const each = Math.max(1, Math.floor(most / threads))
  return {
    threads: Array.from({ length: threads }, () => {
      const operations = 1 + random.below(2)
      return Array.from({ length: operations }, () =>
        Array.from({ length: Math.max(1, Math.floor(each / operations)) }, (_, i) =>
          // Each operation takes at least one step.
          i === 0
            ? { kind: 'load' as const, word: random.below(words), value: 0 }
            : instruction(random, words, waiting ? WAITING : KINDS),
        ),
      )
    }),
  }
}

function* operation(words: Int32Array, instructions: readonly Instruction[], register: number): Coroutine {
  let held = register
  for (let i = 0; i < instructions.length; i++) {
    const next = instructions[i]!
    if (next.kind === 'unless') {
      if (held !== next.value) i += next.skip
      continue
    }
    const { kind, word, value } = next
    if (kind === 'wait') {
      held = String(yield* $wait(-1, words, word, value, 10)).length
      continue
    }
    if (kind === 'cas') {
      if ($pre(-1, COMPARE_EXCHANGE, words, word, held, value)) yield
    } else {
      const code =
        kind === 'load' ? LOAD : kind === 'store' ? STORE : kind === 'add' ? ADD : kind === 'notify' ? NOTIFY : EXCHANGE
      if ($pre(-1, code, words, word, value)) yield
    }
    const given = $exec() as number
    if (kind !== 'store') held = given
  }
  return held
}

/** A thread: its operations in turn, each an operation of the history if `asOperations`. */
export function body(operations: Program['threads'][number], asOperations: boolean): (words: Int32Array) => unknown {
  function* run(words: Int32Array): Coroutine {
    const registers: unknown[] = []
    let register = 0
    for (const [i, instructions] of operations.entries()) {
      const one = (): unknown => $c(operation(words, instructions, register))
      const given = asOperations ? op(`op${i}`, [], one) : one()
      register = ($is(given) ? yield* given as Coroutine : given) as number
      registers.push(register)
    }
    return registers
  }
  return (words) => $c(run(words))
}
