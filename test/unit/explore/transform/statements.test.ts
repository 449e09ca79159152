import { test } from 'vitest'
import { sameBody } from './programs.ts'

test.each([
  ['while', 'let n = 0; while (p(n) < 3) { n++; if (p(n) === 2) continue; note(n) } return n'],
  ['do', 'let n = 0; do { n += p(1) } while (n < 3); do n++; while (p(n) < 5); return n'],
  [
    'for',
    'let s = 0; for (let i = p(0), j = p(9); i < p(j); i++, j -= p(1)) { if (i === 3) break; s += i * j } return s',
  ],
  ['for without parts', 'let i = 0; for (;;) { if (p(++i) > 3) break } return i'],
  [
    'closures over loop variables',
    'const fs = []; for (let i = 0; i < 3; i++) { fs.push(() => p(i)); i += 0 } return fs.map((f) => f())',
  ],
  [
    'for in',
    'const r = []; for (const k in p({ a: 1, b: 2 })) r.push(p(k)); const o = {}; for (o.x in { c: 1 }) r.push(o.x); const a = []; for (a[0] in { d: 1 }) r.push(p(a[0])); return r',
  ],
  [
    'for of',
    'const r = []; for (const [a, b = p(2)] of p([[1], [3, 4]])) r.push(a, b); let x; for (x of "ab") r.push(p(x)); const y = []; for (y[1] of [5]) r.push(y); return r',
  ],
  [
    'labels',
    'let n = 0; outer: for (let i = 0; i < 3; i++) { inner: while (true) { n += p(1); if (n % 2) continue outer; if (n > 4) break outer; break inner } note(i) } return n',
  ],
  ['a labelled block', 'a: { if (p(1)) break a; note("no") } return 1'],
  [
    'switch',
    'const f = (x) => { let r = ""; switch (p(x)) { case p(1): r += "one"; case 2: { r += p("two"); break } default: r += "other"; case 3: let y = p(3); r += y } return r }; return [1, 2, 3, 4].map((x) => f(x))',
  ],
  [
    'try',
    'try { p(1); throw new Error(p("no")) } catch ({ message }) { note(p(message)) } finally { note(p("end")) } return 1',
  ],
  [
    'finally that overrides',
    'const f = () => { try { return p(1) } finally { return p(2) } }; const g = () => { for (;;) { try { throw p(1) } finally { break } } return 3 }; return [f(), g()]',
  ],
  [
    'finally that runs',
    'const f = (x) => { try { if (p(x)) return note("return"); throw new Error("x") } catch { return p("caught") } finally { note(p("finally")) } }; return [f(1), f(0)]',
  ],
  [
    'nested try',
    'try { try { p(); null.x } finally { p(); note(1) } } catch (e) { note(e instanceof TypeError); try { throw e } catch { p(); note(2) } } return 0',
  ],
  ['an error that leaves', 'function f() { p(); throw new RangeError("far") } f()'],
  ['if', 'if (p(0)) return 1; else if (p(1)) { if (!p(1)) return 2; return 3 } return 4'],
  ['var', 'for (var i = 0; i < 2; i++) { var x = p(i) } return [x, i, y]; var y = p(1)'],
  ['blocks', 'const x = 1; { const x = p(2); { const x = p(3); note(x) } note(x) } return x'],
  [
    'a body that hides a variable of the loop',
    'const r = []; for (let i = 0; i < 2; i++) { let i = 5; i += p(1); r.push(i) } return r',
  ],
  [
    'a variable declared after an inner loop',
    'let n = 0; while (n < 2) { while (p(0)) {} let late = n; late += 1; n = late } return n',
  ],
  [
    'a variable of another case',
    'const f = (x) => { let n = 0; switch (x) { case 0: let y = 1; y = 2; break; case 1: while (p(n) < 2) { n++ } } return n }; return [f(0), f(1)]',
  ],
  [
    'a class in a loop',
    'const r = []; for (let i = 0; i < 2; i++) { class C { m() { return p(i) } } i += 0; r.push(new C().m()) } return r',
  ],
])('%s', (_name, body) => {
  sameBody(body)
})
