# What the Perl clients' programs share: where the service is, and the lines that run.mjs reads.
package Checks;
use strict;
use warnings;
use Exporter 'import';
use HTTP::Tiny;

our @EXPORT = qw(operation absent missing same say_line by_rest many
    HOST MEMCACHED_PORT BOUND_PORT SIGN_IN WRONG_SIGN_IN ALL_BYTES LARGE);

use constant {
    HOST           => $ENV{CLIENT_HOST},
    MEMCACHED_PORT => $ENV{CLIENT_MEMCACHED_PORT},
    BOUND_PORT     => $ENV{CLIENT_BOUND_PORT},
    SIGN_IN        => "$ENV{CLIENT_TOKEN} $ENV{CLIENT_PROJECT} $ENV{CLIENT_CACHE}",
    WRONG_SIGN_IN  => "wrong-token $ENV{CLIENT_PROJECT} $ENV{CLIENT_CACHE}",
    ALL_BYTES      => join('', map { chr } 0 .. 255),
    LARGE          => substr(join('', map { chr } 0 .. 255) x 3600, 0, 900 * 1024),
};

$| = 1;

sub say_line { print join("\t", map { s/\s+/ /gr } @_), "\n" }

# Runs a function and says how that went.
sub operation {
    my ($name, $function) = @_;
    if (eval { $function->(); 1 }) { say_line('passed', $name) }
    else                           { say_line('failed', $name, substr($@, 0, 300)) }
}

sub absent { my ($name, $reason) = @_; say_line('absent', $name, $reason // '') }

sub missing { say_line('missing', @_); exit 0 }

sub same {
    my ($found, $expected) = @_;
    return if !defined $found && !defined $expected;
    return if defined $found && defined $expected && $found eq $expected;
    die shown($found) . ' instead of ' . shown($expected) . ' in line ' . (caller)[2] . "\n";
}

sub shown { my ($value) = @_; return defined $value ? "'" . substr($value, 0, 80) . "'" : 'undef' }

# A hundred keys with their values.
sub many { map { ("many-$_" => "value $_") } 0 .. 99 }

# The item's bytes, as the other door has them.
sub by_rest {
    my ($key) = @_;
    my $cache = $ENV{CLIENT_CACHE} =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger;
    my $response = HTTP::Tiny->new->get(
        "http://$ENV{CLIENT_HOST}:$ENV{CLIENT_HTTP_PORT}/1/projects/$ENV{CLIENT_PROJECT}/caches/$cache/items/$key",
        { headers => { Authorization => "OAuth $ENV{CLIENT_TOKEN}", Accept => 'application/octet-stream' } },
    );
    die "$response->{status} $response->{content}\n" unless $response->{success};
    return $response->{content};
}

1;
