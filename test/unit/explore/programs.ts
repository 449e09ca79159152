/** Small random programs for virtual threads, written as coroutines by hand: the search is tested without the transform. */
import { ADD, COMPARE_EXCHANGE, EXCHANGE, LOAD, STORE } from '../../../src/explore/events.ts'
import { op } from '../../../src/explore/history.ts'
import { $c, $is, type Coroutine } from '../../../src/explore/language.ts'
import { $exec, $pre } from '../../../src/explore/machine.ts'
import { Random } from '../../../src/explore/random.ts'

type Instruction =
  | { readonly kind: 'load' | 'exchange' | 'add' | 'store' | 'cas'; readonly word: number; readonly value: number }
  /** Skips the next instructions unless the register is `value`. */
  | { readonly kind: 'unless'; readonly value: number; readonly skip: number }

export interface Program {
  readonly threads: readonly (readonly (readonly Instruction[])[])[]
}

const KINDS = ['load', 'load', 'store', 'store', 'cas', 'add', 'exchange', 'unless'] as const

function instruction(random: Random, words: number): Instruction {
  const kind = KINDS[random.below(KINDS.length)]!
  const value = random.below(3)
  return kind === 'unless' ? { kind, value, skip: 1 + random.below(2) } : { kind, word: random.below(words), value }
}

/**
 * @param most steps of all threads together, about
 * @param threads how many at most
 */
export function randomProgram(random: Random, most: number, mostThreads = 3): Program {
  const threads = 2 + random.below(mostThreads - 1)
  const words = 1 + random.below(3)
  const each = Math.max(1, Math.floor(most / threads))
  return {
    threads: Array.from({ length: threads }, () => {
      const operations = 1 + random.below(2)
      return Array.from({ length: operations }, () =>
        Array.from({ length: Math.max(1, Math.floor(each / operations)) }, (_, i) =>
          // Each operation takes at least one step.
          i === 0 ? { kind: 'load' as const, word: random.below(words), value: 0 } : instruction(random, words),
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
    if (kind === 'cas') {
      if ($pre(-1, COMPARE_EXCHANGE, words, word, held, value)) yield
    } else {
      const code = kind === 'load' ? LOAD : kind === 'store' ? STORE : kind === 'add' ? ADD : EXCHANGE
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
