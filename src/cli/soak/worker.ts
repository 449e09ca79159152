import { setImmediate } from 'node:timers/promises'
import type { StoreHandle } from '../../store/index.ts'
import { Random } from '../random.ts'
import { attachText } from '../text-store.ts'
import { Control, PAUSE, PAUSED, RUN, RUNNING, STOP, STORM } from './control.ts'
import { Counters } from './counters.ts'
import { Flips, Tokens } from './games.ts'
import { Hands } from './hands.ts'
import type { Plan } from './plan.ts'
import { PrivateRange } from './private-range.ts'
import { Scans } from './scans.ts'
import { SharedKeys } from './shared-keys.ts'

const OPERATIONS_BETWEEN_ORDERS = 32
const ORDERS_BETWEEN_REST = 16

export interface SoakWork {
  readonly store: StoreHandle
  readonly control: SharedArrayBuffer
  readonly index: number
  readonly generation: number
  readonly plan: Plan
  /** Round, slot and generation make every worker's choices its own. */
  readonly seeds: readonly number[]
}

/** How often, of all operations, and what. */
type Mix = readonly (readonly [number, () => void])[]

/** One worker of a soak, until it is told to stop, or killed. */
export async function soak(work: SoakWork, report: (text: string) => void): Promise<void> {
  const control = new Control(work.control)
  const store = attachText(work.store)
  const hands = new Hands(store, control, work, work.plan, new Random(...work.seeds), report)
  try {
    await new Soaker(hands).run()
  } finally {
    store.close()
  }
}

class Soaker {
  private readonly hands: Hands
  private readonly own: PrivateRange
  private readonly tokens: Tokens
  private readonly scans: Scans
  private readonly calm: Mix
  private readonly stormy: Mix

  constructor(hands: Hands) {
    this.hands = hands
    const counters = new Counters(hands)
    const shared = new SharedKeys(hands)
    const flips = new Flips(hands)
    const own = (this.own = new PrivateRange(hands))
    const tokens = (this.tokens = new Tokens(hands))
    const scans = (this.scans = new Scans(hands))
    this.stormy = [
      [600, () => shared.write()],
      [400, () => shared.read()],
      [4, () => scans.scan()],
      [1, () => scans.scanAll()],
      [1, () => scans.look()],
    ]
    this.calm = [
      [300, () => counters.addByUpdate()],
      [60, () => counters.addByCompareAndSet()],
      [80, () => counters.readOne()],
      [5, () => counters.updateThrowing()],
      [5, () => counters.updateReentrant()],
      [400, () => own.write()],
      [250, () => own.read()],
      [10, () => own.scan()],
      [60, () => tokens.play()],
      [60, () => flips.play()],
      [200, () => shared.write()],
      [100, () => shared.read()],
      [4, () => scans.scan()],
      [1, () => scans.scanAll()],
      [2, () => scans.scanCounters(counters)],
      [1, () => scans.look()],
    ]
  }

  async run(): Promise<void> {
    const { control, slot } = this.hands
    // In a storm nothing is where a predecessor put it.
    if (control.command() === RUN || control.command() === PAUSE) this.recover()
    slot.setState(RUNNING)
    for (let orders = 1; ; orders++) {
      const command = control.command()
      if (command === STOP) return
      if (command === PAUSE) this.pause()
      else this.work(command === STORM ? this.stormy : this.calm)
      // Lets the store's timers run, and the messages out.
      if (orders % ORDERS_BETWEEN_REST === 0) await setImmediate()
    }
  }

  private recover(): void {
    this.scans.endBurst()
    this.tokens.recover()
    this.own.recover()
  }

  private pause(): void {
    this.tokens.giveAllBack()
    this.hands.slot.setState(PAUSED)
    this.hands.control.sleepWhilePaused()
    this.hands.slot.setState(RUNNING)
  }

  private work(mix: Mix): void {
    const { hands } = this
    let weights = 0
    for (const [weight] of mix) weights += weight
    for (let i = 0; i < OPERATIONS_BETWEEN_ORDERS; i++) {
      let pick = hands.random.below(weights)
      let which = 0
      while (pick >= mix[which][0]) pick -= mix[which++][0]
      mix[which][1]()
      hands.slot.countOperation()
    }
    if (mix !== this.calm) return
    if (hands.needsRoom) this.own.makeRoom()
    hands.needsRoom = false
    if (hands.plan.tiny && hands.random.oneIn(BURST_ONCE_IN)) this.scans.burst()
  }
}

/** Of all rounds of operations. */
const BURST_ONCE_IN = 3000
