/**
 * The interface of a reclamation scheme: what the floors above are written against, so that other schemes can take the
 * place of epochs without touching them.
 */

/** Opcodes of deferred actions. Closures cannot live in shared memory, so an action is an opcode and an argument. */
export const OP_FREE_BLOCK = 0
export const OP_FREE_CHAIN = 1
export const OP_RECYCLE_PAGE = 2
export const OP_RELEASE_SEGMENT = 3
/** User opcodes are OP_USER..OP_USER + USER_OPS - 1; every thread registers the same handlers. */
export const OP_USER = 4
export const USER_OPS = 12
export const OPS = OP_USER + USER_OPS

/** Runs a deferred action. Idempotent, may run on any thread, must not throw; `epoch` is the one of the retirement. */
export type Handler = (argument: number, epoch: number) => void

/** Called with a dead (or departing) participant while its pin still holds; brings back what it owned. Idempotent. */
export type ReapHook = (slotAt: number, label: number) => void

export interface Scheme {
  readonly name: string
  /** Whether it ever frees anything. */
  readonly reclaims: boolean
  /** The calling participant's label in ownership words. */
  readonly label: number
  /** Begins a critical region: what is reachable from now on stays readable until `leave`. Nests. */
  enter(): void
  /** Ends it; the outermost leave may run deferred actions, amortised. */
  leave(): void
  /** Leaves and enters again, so that a long operation does not hold up others. Only at depth one. */
  repin(): void
  /** Whether this participant is inside a critical region. */
  pinned(): boolean
  /** Announces a reference before it is used; nothing to do under epochs. */
  protect(index: number, address: number): void
  /** Whether what was read since `enter` may be used; always true under epochs (nobody is ejected). */
  valid(): boolean
  /** The current epoch (or era): the tag for RETIRED ownership words. */
  epoch(): number
  /** Defers an action until no critical region that is open now remains. Called after the unlinking CAS. */
  retire(op: number, argument: number, epoch: number): void
  /** Registers the handler of an opcode. */
  register(op: number, handler: Handler): void
  onReap(hook: ReapHook): void
  /** Runs at most `budget` deferred actions whose time has come, of any participant. @returns actions run */
  collect(budget: number): number
  /** Advances and collects as far as the other participants' pins allow. @returns actions still waiting */
  flush(): number
  /** Gives up this participant: what it owned goes back, what it retired is left to the others. */
  detach(): void
  /** Reaps every participant of a thread that is known to be dead. @returns participants reaped */
  reap(threadId: number): number
}
