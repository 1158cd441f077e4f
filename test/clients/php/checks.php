<?php
// What the PHP clients' programs share: where the service is, and the lines that run.mjs reads.

error_reporting(E_ALL & ~E_DEPRECATED);
ini_set('display_errors', 'stderr');

define('HOST', getenv('CLIENT_HOST'));
define('MEMCACHED_PORT', (int) getenv('CLIENT_MEMCACHED_PORT'));
define('BOUND_PORT', (int) getenv('CLIENT_BOUND_PORT'));
define('HTTP_PORT', (int) getenv('CLIENT_HTTP_PORT'));
define('PROJECT', getenv('CLIENT_PROJECT'));
define('TOKEN', getenv('CLIENT_TOKEN'));
define('CACHE', getenv('CLIENT_CACHE'));
define('SOURCES', getenv('CLIENT_SOURCES'));

define('SIGN_IN', TOKEN . ' ' . PROJECT . ' ' . CACHE);
define('WRONG_SIGN_IN', 'wrong-token ' . PROJECT . ' ' . CACHE);
define('ALL_BYTES', implode('', array_map('chr', range(0, 255))));
define('LARGE', substr(str_repeat(ALL_BYTES, 3600), 0, 900 * 1024));

/** A hundred keys with their values. */
function many(): array
{
    $many = [];
    for ($i = 0; $i < 100; $i++) $many["many-$i"] = "value $i";
    return $many;
}

function say(string ...$words): void
{
    // Not echo: no session could start after that.
    fwrite(STDOUT, implode("\t", array_map(fn ($word) => preg_replace("/\s+/", " ", $word), $words)) . "\n");
}

/** Runs a function and says how that went. */
function operation(string $name, callable $function): void
{
    try {
        $function();
        say('passed', $name);
    } catch (Throwable $error) {
        say('failed', $name, substr(get_class($error) . ': ' . $error->getMessage(), 0, 300));
    }
}

function absent(string $name, string $reason = ''): void
{
    say('absent', $name, $reason);
}

function missing(string $reason): never
{
    say('missing', $reason);
    exit(0);
}

function same(mixed $found, mixed $expected): void
{
    if ($found === $expected) return;
    throw new Exception(shown($found) . ' instead of ' . shown($expected));
}

function shown(mixed $value): string
{
    return substr(var_export($value, true), 0, 80);
}

/** The function must throw. */
function refused(callable $function): void
{
    try {
        $result = $function();
    } catch (Throwable) {
        return;
    }
    throw new Exception(shown($result) . ' instead of an error');
}

/** The item's bytes, as the other door has them. */
function by_rest(string $key): string|false
{
    $path = '/1/projects/' . PROJECT . '/caches/' . rawurlencode(CACHE) . '/items/' . rawurlencode($key);
    $header = 'Authorization: OAuth ' . TOKEN . "\r\nAccept: application/octet-stream";
    $context = stream_context_create(['http' => ['header' => $header]]);
    return file_get_contents('http://' . HOST . ':' . HTTP_PORT . $path, false, $context);
}
