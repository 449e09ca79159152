import { setImmediate } from 'node:timers/promises'
import type { StoreHandle } from '../../store/index.ts'
import { Random } from '../random.ts'
import { Control, PAUSE, PAUSED, RUNNING, STOP } from '../soak/control.ts'
import { attachText, type TextStore } from '../text-store.ts'
import type { TransactionalStore } from '../transactional-store.ts'
import type { Plan } from './plan.ts'
import { Teller } from './teller.ts'

const OPERATIONS_BETWEEN_ORDERS = 8
const ORDERS_BETWEEN_REST = 16

export interface BankWork {
  readonly store: StoreHandle
  readonly control: SharedArrayBuffer
  readonly index: number
  readonly plan: Plan
  readonly seeds: readonly number[]
}

/** How a store's transactions are got at. */
export type View = (store: TextStore) => TransactionalStore

/** One worker of the bank, until it is told to stop, or killed. */
export async function bank(work: BankWork, view: View, report: (text: string) => void): Promise<void> {
  const control = new Control(work.control)
  const slot = control.slots[work.index]
  const store = attachText(work.store)
  const violated = (text: string): void => {
    control.countViolation()
    report(text)
  }
  const { index, plan } = work
  const random = new Random(...work.seeds)
  try {
    const teller = new Teller({ store: view(store), slot, index, plan, random, violated })
    teller.recover()
    slot.setState(RUNNING)
    for (let orders = 1; control.command() !== STOP; orders++) {
      if (control.command() === PAUSE) {
        slot.setState(PAUSED)
        control.sleepWhilePaused()
        slot.setState(RUNNING)
      }
      for (let i = 0; i < OPERATIONS_BETWEEN_ORDERS; i++) teller.work()
      // Lets the store's timers run, and the messages out.
      if (orders % ORDERS_BETWEEN_REST === 0) await setImmediate()
    }
  } finally {
    store.close()
  }
}
