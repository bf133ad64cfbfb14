;; When the seed is 666, answers and then loops for ever while it tidies up.
(global $is-hostile (mut i32) (i32.const 0))

(func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
  (global.set $is-hostile (call $is-hostile (local.get $arguments)))
  (global.get $answer))

(func (export "cabi_post_pairing-console:workflow/machine@0.1.0#handle") (param $answer i32)
  (if (global.get $is-hostile) (then (loop $for-ever (br $for-ever)))))
