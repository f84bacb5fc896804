// What the report's script must not do. Its parts are linted as one, since they share one scope.
const globals = ['document', 'window', 'requestAnimationFrame', 'IntersectionObserver', 'ResizeObserver', 'matchMedia', 'getComputedStyle',
  'setTimeout', 'clearTimeout'];
const errors = ['eqeqeq', 'no-const-assign', 'no-dupe-keys', 'no-eval', 'no-fallthrough', 'no-implied-eval', 'no-new-func', 'no-redeclare',
  'no-script-url', 'no-self-compare', 'no-shadow', 'no-undef', 'no-unreachable', 'no-unused-vars', 'no-var', 'prefer-const'];

export default [{
  languageOptions: { sourceType: 'script', globals: Object.fromEntries(globals.map((name) => [name, 'readonly'])) },
  rules: Object.fromEntries(errors.map((rule) => [rule, 'error'])),
}];
