use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checks;

eval { require Cache::Memcached::Fast; 1 } or missing('Cache::Memcached::Fast');
say_line('version', $Cache::Memcached::Fast::VERSION);

sub client { Cache::Memcached::Fast->new({ servers => [HOST . ':' . (shift // MEMCACHED_PORT)], @_ }) }

my $client = client();

operation 'wrong token' => sub {
    # Every error is the answer undef.
    same($client->set('oauth', WRONG_SIGN_IN), undef);
    same($client->set('key', '1'), undef);
    same($client->get('key'), undef);
};

operation 'sign-in' => sub { same($client->set('oauth', SIGN_IN), 1) };

operation 'set, get' => sub {
    same($client->set('key', 'value'), 1);
    same($client->get('key'), 'value');
    same($client->get('not-there'), undef);
    same($client->set('empty', ''), 1);
    same($client->get('empty'), '');
};

operation 'seen by REST' => sub { same(by_rest('key'), 'value') };

operation 'add, replace' => sub {
    same($client->add('added', '1'), 1);
    same($client->add('added', '2'), '');
    same($client->replace('added', '3'), 1);
    same($client->replace('not-there', '4'), '');
    same($client->get('added'), '3');
};

operation 'append, prepend' => sub {
    same($client->append('key', '>'), 1);
    same($client->prepend('key', '<'), 1);
    same($client->get('key'), '<value>');
    same($client->append('not-there', '>'), '');
};

operation 'delete' => sub {
    same($client->delete('key'), 1);
    same($client->delete('key'), '');
};

operation 'incr, decr' => sub {
    $client->set('number', 10);
    same($client->incr('number'), 11);
    same($client->incr('number', 9), 20);
    same($client->decr('number', 50), '0E0');
    same($client->incr('not-there'), '');
};

operation 'touch' => sub {
    $client->set('touched', '1', 100);
    same($client->touch('touched', 1), 1);
    same($client->touch('not-there', 1), '');
};

operation 'gat' => sub {
    $client->set('gat', '1', 1);
    same($client->gat(100, 'gat'), '1');
    same($client->gats(100, 'gat')->[1], '1');
    my $found = $client->gat_multi(100, 'gat', 'not-there');
    same($found->{gat}, '1');
};

operation 'multi-get of 100 keys' => sub {
    my %many = many();
    my $results = $client->set_multi(map { [$_, $many{$_}] } keys %many);
    same(scalar(grep { $_ } values %$results), 100);
    my $found = $client->get_multi(keys %many, 'not-there');
    same(scalar keys %$found, 100);
    same($found->{$_}, $many{$_}) for keys %many;
    $results = $client->delete_multi(keys %many);
    same(scalar(grep { $_ } values %$results), 100);
};

operation 'cas' => sub {
    $client->set('cas', '1');
    my ($cas, $value) = @{ $client->gets('cas') };
    same($value, '1');
    same($client->cas('cas', $cas, '2'), 1);
    same($client->cas('cas', $cas, '3'), '');
    same($client->get('cas'), '2');
    my $found = $client->gets_multi('cas', 'not-there');
    same($client->cas_multi(['cas', $found->{cas}[0], '4'])->{cas}, 1);
};

operation 'flags, types' => sub {
    $client->set('typed', { a => [1, 2] });
    same(join(' ', @{ $client->get('typed')->{a} }), '1 2');
    my $zipping = client(BOUND_PORT, compress_threshold => 100);
    same($zipping->set('zipped', 'zipped ' x 1000), 1);
    same($client->get('zipped'), 'zipped ' x 1000);
    my $unicode = client(BOUND_PORT, utf8 => 1);
    same($unicode->set('unicode', "\x{263a}"), 1);
    same($unicode->get('unicode'), "\x{263a}");
};

operation 'all byte values' => sub {
    same($client->set('bytes', ALL_BYTES), 1);
    same($client->get('bytes'), ALL_BYTES);
    same(by_rest('bytes'), ALL_BYTES);
};

operation '900 KB' => sub {
    same($client->set('large', LARGE), 1);
    same($client->get('large'), LARGE);
};

operation 'expiry' => sub {
    $client->set('expiring', '1', 1);
    $client->set('staying', '1', 100);
    same($client->get('expiring'), '1');
    select undef, undef, undef, 2.1;
    same($client->get('expiring'), undef);
    same($client->get('touched'), undef);
    same($client->get('gat'), '1');
    same($client->get('staying'), '1');
};

absent('stats');

operation 'version' => sub { same(scalar(grep { /\d/ } values %{ $client->server_versions }), 1) };

operation 'flush' => sub {
    $client->set('flushed', '1');
    same(scalar(grep { $_ } values %{ $client->flush_all }), 1);
    same($client->get('flushed'), undef);
};

operation 'reconnect' => sub {
    $client->disconnect_all;
    same($client->set('key', '1'), undef);
    same($client->set('oauth', SIGN_IN), 1);
    same($client->set('key', 'again'), 1);
    same($client->get('key'), 'again');
};

operation 'without an answer' => sub {
    # In void context, the client sends noreply.
    $client->set('quiet', '1');
    $client->incr('quiet', 4);
    $client->nowait_push;
    same($client->get('quiet'), '5');
};

operation 'bound listener, nowait' => sub {
    my $bound = client(BOUND_PORT, nowait => 1);
    $bound->set("fast-$_", $_) for 1 .. 200;
    $bound->nowait_push;
    same(scalar keys %{ $bound->get_multi(map { "fast-$_" } 1 .. 200) }, 200);
    same($client->get('fast-7'), '7');
};
