/** Random programs of nested constructs, which end and can be compared. */

/** A small generator of numbers that is the same everywhere. */
export class Dice {
  private state: number

  constructor(seed: number) {
    this.state = (seed * 2654435761) >>> 0 || 1
  }

  below(limit: number): number {
    this.state ^= this.state << 13
    this.state ^= this.state >>> 17
    this.state ^= this.state << 5
    return (this.state >>> 0) % limit
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}

const PRELUDE = `
class Base {
  w = [1, 2, 3]
  constructor(a) { this.a = a }
  get x() { return this.a }
  set x(v) { this.a = v }
  m(a, b = 2) { return (a | 0) + b + (this.a | 0) }
  self() { return this }
}
class Paused extends Base {
  f = p(2)
  constructor(a = 1) { super(a); this.a = p(a) }
  get x() { return p(this.a) }
  set x(v) { this.a = p(v) }
  m(a, b = p(3)) { return super.m(p(a), b) + 1 }
  *each(n) { for (let i = 0; i < n; i++) { yield p(i) } }
}
function add(a, b) { return p((a | 0) + (b | 0)) }
function apply(f, a) { return f(a) }
const plain = (a) => (a | 0) + 1
// What programs add up must not grow without end.
const cap = (v) => typeof v === 'string' ? v.slice(0, 9) : v
`

/** Writes one program. */
class Writer {
  private readonly dice: Dice
  private names = 0
  private loops = 0

  constructor(seed: number) {
    this.dice = new Dice(seed)
  }

  program(): string {
    const vars = ['a', 'b', 'list', 'o', 'o2']
    const body = this.block(3, vars, 4)
    return `${PRELUDE}
export function main() {
  let a = 1, b = p(2), list = [3, 4, 5], o = new Paused(7), o2 = new Base(9), fuel = 200
  const show = (v) => typeof v === 'function' ? 'function' : typeof v === 'object' && v !== null ? JSON.stringify(v) : String(v)
  try {
${body}
  } catch (e) { note(e instanceof Error ? e.name : show(e)) }
  return [show(a), show(b), show(list), show(o), show(o2)]
}`
  }

  private number(): string {
    return String(this.dice.below(6))
  }

  private fresh(): string {
    return `v${++this.names}`
  }

  private expressions(depth: number, vars: readonly string[], count: number): string[] {
    return Array.from({ length: count }, () => this.expression(depth, vars))
  }

  expression(depth: number, vars: readonly string[]): string {
    const { dice } = this
    if (depth <= 0)
      return dice.pick([this.number(), dice.pick(vars), `p(${this.number()})`, 'a', 'b', 'o.x', 'list[1]'])
    const [x, y, z] = this.expressions(depth - 1, vars, 3) as [string, string, string]
    const i = `(${x}) & 3`
    const v = this.fresh()
    return dice.pick([
      () => `p(${x})`,
      () => `add(${x}, ${y})`,
      () => `cap(${x} ${dice.pick(['+', '-', '<', '===', '&', '|'])} ${y})`,
      () => `(${x} ${dice.pick(['&&', '||', '??'])} ${y})`,
      () => `(${x} ? ${y} : ${z})`,
      () => `list[${i}]`,
      () => `(list[${i}] = ${y})`,
      () => `(list[${i}] ${dice.pick(['*=', '-=', '||=', '??=', '&&=', '|='])} ${y})`,
      () => `${dice.pick(['list[' + i + ']', 'o.x', 'a', 'o2.x', 'o.a'])}${dice.pick(['++', '--'])}`,
      () => `(${dice.pick(['o', 'o2'])}.x ${dice.pick(['=', '-=', '??=', '&&='])} ${y})`,
      () => `${dice.pick(['o', 'o2'])}.m(${x}, ${y})`,
      () =>
        `${dice.pick(['o', 'o2', 'null'])}?.${dice.pick(['x', 'w[1]', `m(${x})`, `self()?.m(${y})`, 'none?.m()', 'w?.[0]'])}`,
      () => `o.self().w[${i}]`,
      () => `apply((${v}) => ${this.expression(depth - 2, [...vars, v])}, ${x})`,
      () => `apply(plain, ${x})`,
      () => `((${v}, w${v} = ${y}) => { return ${this.expression(depth - 2, [...vars, v])} })(${x})`,
      () => `(function (${v}) { return p(${v}) + arguments.length })(${x}, ${y})`,
      () => `new Paused(${x}).m(${y})`,
      () => `[${x}, ${y}].map((${v}) => ${this.expression(depth - 2, [...vars, v])}).length`,
      () => `[3, 1, 2].sort((s, t) => p(s) - t)[${i}]`,
      () => `[...o.each((${x}) & 3)].length`,
      () => `\`\${${x}}-\${${y}}\`.length`,
      () => `({ k: ${x}, get g() { return p(this.k) } }).g`,
      () => `(([${v}, w${v} = ${y}]) => ${v})([${x}])`,
      () => `(a = ${x}, ${y})`,
      () => `([a, b] = [${x}, ${y}], 0)`,
      () => `typeof ${x}`,
    ])()
  }

  private block(depth: number, vars: readonly string[], count: number): string {
    const known = [...vars]
    const lines: string[] = []
    for (let i = 0; i < count; i++) lines.push(this.statement(depth, known))
    return lines.join('\n')
  }

  private nested(depth: number, vars: readonly string[]): string {
    return this.block(depth - 1, vars, 1 + this.dice.below(2))
  }

  private statement(depth: number, vars: string[]): string {
    const { dice } = this
    const x = this.expression(2, vars)
    const y = this.expression(1, vars)
    if (depth <= 0) return dice.pick([`note(show(${x}))`, `a = ${x}`, `o.x = ${x}`, `list[(${y}) & 3] = ${x}`]) + ';'
    const inner = () => this.nested(depth, vars)
    const label = `l${++this.loops}`
    const spend = 'if (--fuel < 0) throw "fuel";'
    const leave = dice.pick(['break;', 'continue;', `break ${label};`, `continue ${label};`, ''])
    const v = this.fresh()
    return dice.pick([
      () => `note(show(${x}));`,
      () => `b = ${x};`,
      () => {
        const line = `let ${v} = ${x};`
        vars.push(v)
        return line
      },
      () => `{ const { x: ${v}, a: w${v} = ${y} } = ${dice.pick(['o', 'o2'])}; note(show(${v})); ${inner()} }`,
      () => `if (${x}) { ${inner()} } else { ${inner()} }`,
      () => `${label}: while (p(fuel) > 0 && ${x}) { ${spend} ${inner()} if (${y}) { ${leave} } }`,
      () =>
        `${label}: for (let ${v} = 0; ${v} < 3; ${v}++) { ${spend} ${this.nested(depth, [...vars, v])} if (${y}) { ${leave} } }`,
      () =>
        `${label}: for (const ${v} of ${dice.pick(['list', 'o.each(3)', '[1, p(2)]', 'new Set([1, 2])', '"ab"'])}) { ${spend} ${this.nested(depth, [...vars, v])} if (${y}) { ${leave} } }`,
      () => `${label}: do { ${spend} ${inner()} ${leave} } while (p(fuel) > 100 && ${x});`,
      () =>
        `try { ${inner()} if (${x}) throw ${y}; } catch (${v}) { note(show(${v})); ${inner()} } finally { ${inner()} }`,
      () => `switch (${x}) { case ${y}: ${inner()} break; case p(1): ${inner()} default: ${inner()} }`,
      () => `(() => { ${inner()} })();`,
      () =>
        `{ function ${v}(q, r = ${y}) { if (p(q) > 0) return ${v}(q - 1); ${inner()} return r } note(show(${v}(2))); }`,
    ])()
  }
}

/** The random program of a seed. */
export function randomProgram(seed: number): string {
  return new Writer(seed).program()
}
