<?php
// The official client iron_cache_php: its archive iron_cache.phar (with iron_core_php) below --sources.

require __DIR__ . '/checks.php';

$archive = SOURCES . '/iron_cache_php/iron_cache.phar';
if (SOURCES === '' || !is_file($archive)) missing('iron_cache_php/iron_cache.phar in --sources');
if (!extension_loaded('curl')) missing('the PHP extension curl');
require $archive;

function connect(string $token = TOKEN): IronCache
{
    $config = ['token' => $token, 'project_id' => PROJECT, 'protocol' => 'http', 'host' => HOST, 'port' => HTTP_PORT];
    return new IronCache($config, CACHE);
}

$client = connect();
say('version', (new ReflectionClass('IronCache'))->getDefaultProperties()['client_version']);

operation('put, get', function () use ($client) {
    same($client->put('key', 'value')->msg, 'Stored.');
    same($client->get('key')->value, 'value');
    same($client->get('not-there'), null);
    same($client->put('empty', '')->msg, 'Stored.');
    same($client->get('empty')->value, '');
});

operation('item and cache by name', function () use ($client) {
    same($client->putItem(CACHE, 'other', ['value' => 'of the item'])->msg, 'Stored.');
    $item = $client->getItem(CACHE, 'other');
    same([$item->cache, $item->key, $item->value, $item->flags], [CACHE, 'other', 'of the item', 0]);
});

operation('types', function () use ($client) {
    foreach (['text', 'ä ☃ 𝄞', '42', 42, -7, PHP_INT_MAX] as $value) {
        $client->put('typed', $value);
        same($client->get('typed')->value, $value);
    }
    foreach ([true, false, ['a' => 1]] as $value) {
        $client->put('typed', ['value' => $value]);
        same((array) $client->get('typed')->value, (array) $value);
    }
});

operation('wrong token', fn () => refused(fn () => connect('wrong')->get('key')));

operation('add, replace', function () use ($client) {
    same($client->put('added', ['value' => '1', 'add' => true])->msg, 'Stored.');
    same($client->put('added', ['value' => '2', 'add' => true])->msg, 'Not stored.');
    same($client->put('added', ['value' => '3', 'replace' => true])->msg, 'Stored.');
    same($client->put('not-there', ['value' => '4', 'replace' => true])->msg, 'Not stored.');
    same($client->get('added')->value, '3');
});

absent('cas');

operation('increment', function () use ($client) {
    $client->put('number', 10);
    same($client->increment('number', 5)->value, 15);
    same($client->increment('number', -20)->value, -5);
    $client->put('text', 'text');
    refused(fn () => $client->increment('text', 1));
});

operation('900 KB', function () use ($client) {
    $client->put('large', str_repeat('x', 900 * 1024));
    same($client->get('large')->value, str_repeat('x', 900 * 1024));
});

operation('expiry', function () use ($client) {
    $client->put('expiring', ['value' => '1', 'expires_in' => 1]);
    same($client->get('expiring')->value, '1');
    usleep(2100000);
    same($client->get('expiring'), null);
});

operation('delete', function () use ($client) {
    same($client->delete('key')->msg, 'Deleted.');
    same($client->get('key'), null);
    refused(fn () => $client->delete('key'));
});

operation('keys with every kind of character', function () use ($client) {
    foreach (['a/b', 'a b', 'a%b', 'ä', 'a?b=c&d#e', '[a]', 'a+b'] as $key) {
        $client->put($key, "of $key");
        same($client->get($key)->value, "of $key");
    }
});

operation('list, info', function () use ($client) {
    same(in_array(CACHE, array_column($client->getCaches(), 'name'), true), true);
    same($client->getCache(CACHE)->size > 0, true);
});

operation('clear', function () use ($client) {
    same($client->clear()->msg, 'Cleared.');
    same($client->getCache(CACHE)->size, 0);
});

operation('sessions', function () use ($client) {
    same($client->session_write('the-session', 'visits|i:1;') !== false, true);
    same($client->session_read('the-session'), 'visits|i:1;');
    $client->session_destroy('the-session');
    same((string) $client->session_read('the-session'), '');
});
