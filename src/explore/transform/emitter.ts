/**
 * Writes the rewritten code of one file. The emitter goes down the tree; a rewrite gives the code of the node types it
 * knows, and everything else is copied. What a place may do depends on the frame it stands in.
 */
import type { Colours } from './colour.ts'
import type { Helper } from './names.ts'
import { isSpan, type Rope } from './rope.ts'
import type { Source } from './source.ts'
import type { Site } from '../sites.ts'
import { bodyOf, childrenOf, type Node } from './syntax.ts'

/**
 * How the code of a function runs: as a coroutine, which can be paused; plainly, because nothing in it has to pause;
 * or directly, because it cannot be paused though it may reach a shared access. Module code is direct, but never runs
 * in a virtual thread.
 */
export type FrameKind = 'coroutine' | 'plain' | 'direct' | 'module'

/** The function whose code is being written. */
export interface Frame {
  readonly kind: FrameKind
  /** The body of a generator of the source, in which `yield` hands out values. */
  readonly generator: boolean
  /** Its temporaries, to be declared where its code begins. */
  readonly temps: string[]
  /** The variables that its loops count in. */
  readonly loops: string[]
  /** It was given a place where it can pause. */
  yields: boolean
}

export type Rewrite = (emitter: Emitter, node: Node) => Rope | undefined

export function newFrame(kind: FrameKind, generator = false): Frame {
  return { kind, generator, temps: [], loops: [], yields: false }
}

export class Emitter {
  readonly source: Source
  readonly colours: Colours
  readonly helpers = new Set<Helper>()
  readonly sites: Site[] = []
  /** Functions that go to the end of the module. */
  readonly lifted: Rope[] = []
  frame: Frame = newFrame('module')
  private readonly rewrites: ReadonlyMap<string, Rewrite>
  private readonly siteOf = new Map<Node, string>()
  private temps = 0
  private loops = 0
  private lifts = 0
  private classes = 0

  constructor(source: Source, colours: Colours, rewrites: ReadonlyMap<string, Rewrite>) {
    this.source = source
    this.colours = colours
    this.rewrites = rewrites
  }

  get isCoroutine(): boolean {
    return this.frame.kind === 'coroutine'
  }

  /** The code of a node. */
  emit(node: Node): Rope {
    return this.rewrites.get(node.type)?.(this, node) ?? this.copy(node)
  }

  /** The node as it is, with the code of its children; `inserted` goes before the first child or at the given offset. */
  copy(node: Node, replace?: ReadonlyMap<Node, Rope>): Rope {
    return this.weave(
      node,
      childrenOf(node).map((child) => [child, replace?.get(child) ?? this.emit(child)]),
    )
  }

  /** The code of a block after its opening brace. */
  afterBrace(node: Node): Rope {
    const inside = { ...node, start: node.start + 1 }
    return this.weave(
      inside,
      bodyOf(node).map((child) => [child, this.emit(child)]),
    )
  }

  private weave(node: Node, children: readonly (readonly [Node, Rope])[]): Rope {
    if (children.every(([child, rope]) => isCopy(child, rope))) return { start: node.start, end: node.end }
    const pieces: Rope[] = []
    let at = node.start
    for (const [child, rope] of children) {
      if (at < child.start) pieces.push({ start: at, end: child.start })
      pieces.push(rope)
      at = child.end
    }
    if (at < node.end) pieces.push({ start: at, end: node.end })
    return pieces
  }

  /** Emits in a frame of its own. */
  within<T>(frame: Frame, emit: () => T): T {
    const outer = this.frame
    this.frame = frame
    try {
      return emit()
    } finally {
      this.frame = outer
    }
  }

  /** Whether the code of a node, as part of a coroutine, can pause. */
  pauses(node: Node): boolean {
    const frame = newFrame('coroutine')
    const { length } = this.lifted
    this.within(frame, () => this.emit(node))
    this.lifted.length = length
    return frame.yields
  }

  /** Puts a function at the end of the module. @returns its name */
  lift(make: (name: string) => Rope): string {
    const name = `$g_${++this.lifts}`
    this.lifted.push(['\n', make(name)])
    return name
  }

  /** An expression that stands where no variable can be declared; what it needs becomes parameters of an arrow. */
  detached(kind: FrameKind, node: Node): Rope {
    const frame = newFrame(kind)
    const rope = this.within(frame, () => this.emit(node))
    return frame.temps.length === 0 ? rope : [`((${frame.temps.join(', ')}) => `, group(node, rope), ')()']
  }

  /** The declarations that a frame needs, with a space behind. */
  declarations({ temps, loops }: Frame): string {
    const names = [...temps, ...loops.map((name) => `${name} = 0`)]
    return names.length === 0 ? '' : ` let ${names.join(', ')};`
  }

  /** The name of a runtime helper, which is then imported. */
  helper(name: Helper): string {
    this.helpers.add(name)
    return `$${name}`
  }

  /** A variable of the current function that no other place uses. */
  temp(): string {
    const name = `$t${++this.temps}`
    this.frame.temps.push(name)
    return name
  }

  loop(): string {
    const name = `$l${++this.loops}`
    this.frame.loops.push(name)
    return name
  }

  /** A prefix for names in a class that no other class of the project has. */
  classPrefix(): string {
    return `$g${this.source.index}_${++this.classes}_`
  }

  /** The number of the place of a node, as code. */
  site(node: Node): string {
    let code = this.siteOf.get(node)
    if (code === undefined) {
      code = `$s + ${this.sites.push(this.source.siteOf(node)) - 1}`
      this.siteOf.set(node, code)
    }
    return code
  }

  /** Marks the place of a node for the source map. */
  place(node: Node): Rope {
    return { start: node.start, end: node.start }
  }

  /** Marks a value that is about to become visible to others. Module code is never part of an execution. */
  effect(value: Rope): Rope {
    return this.frame.kind === 'module' ? value : [`${this.helper('m')}(`, value, ')']
  }

  /** A value that may be a coroutine to be run to its end here. */
  run(node: Node, value: Rope): Rope {
    if (this.frame.kind === 'direct')
      return [this.place(node), `${this.helper('plain')}(${this.site(node)}, `, value, ')']
    if (!this.isCoroutine) return value
    this.frame.yields = true
    return [this.place(node), `(${this.helper('run')}(`, value, `) && (yield), ${this.helper('got')}())`]
  }

  /** Runs what a setter or constructor has left to be run. Code that ends in a comma. `object`: what was constructed. */
  runLeft(object = ''): Rope {
    const temp = this.temp()
    this.frame.yields = true
    return `(${temp} = ${this.helper('left')}(${object})) === null || (yield* ${temp}), `
  }
}

/** Whether the code is what stands in the source. */
export function isCopy(node: Node, rope: Rope): boolean {
  return isSpan(rope) && rope.start === node.start && rope.end === node.end
}

/** Expressions that need no parentheses wherever they stand as an argument or operand. */
const TIGHT = new Set([
  'Identifier',
  'Literal',
  'ThisExpression',
  'MemberExpression',
  'CallExpression',
  'ParenthesizedExpression',
  'TemplateLiteral',
  'ArrayExpression',
])

/** Code that can stand as an operand. */
export function group(node: Node, rope: Rope): Rope {
  return TIGHT.has(node.type) ? rope : ['(', rope, ')']
}

/** The ropes with text between them. */
export function join(ropes: readonly Rope[], separator = ', '): Rope[] {
  const joined: Rope[] = []
  for (const rope of ropes) {
    if (joined.length > 0) joined.push(separator)
    joined.push(rope)
  }
  return joined
}
