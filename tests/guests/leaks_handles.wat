;; Makes as many handles of a resource of its own as the seed says, and drops none.
(func $new-thing (import "[export]test:leaks/things" "[resource-new]thing") (param i32) (result i32))

(func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
  (local $left i32)
  (local.set $left (call $seed (local.get $arguments)))
  (block $enough
    (loop $again
      (br_if $enough (i32.eqz (local.get $left)))
      (drop (call $new-thing (local.get $left)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $again)))
  (global.get $answer))
