//! What the columns of a table are, by their names in four languages.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A date, or a date and a time of day.
    Time,
    /// A time of day, beside a column with the date.
    Clock,
    /// A symbol.
    Symbol,
    /// The first price of a bar.
    Open,
    /// The highest price of a bar.
    High,
    /// The lowest price of a bar.
    Low,
    /// The last price of a bar.
    Close,
    /// The quantity traded.
    Volume,
    /// How many trades there were.
    Trades,
    /// The price of a trade.
    Price,
    /// The quantity of a trade.
    Size,
    /// The best bid.
    Bid,
    /// The best ask.
    Ask,
    /// The quantity at the best bid.
    BidSize,
    /// The quantity at the best ask.
    AskSize,
}

/// The names of each role, as [`folded`] writes them. If a table has several of
/// a role, the first of these that it has is taken.
const NAMES: [(Role, &[&str]); 15] = [
    (
        Role::Time,
        &[
            "windowstart",
            "tsevent",
            "opentime",
            "timestamp",
            "unixtimestamp",
            "unix",
            "gmttime",
            "localtime",
            "datetime",
            "date",
            "fecha",
            "datum",
            "time",
            "day",
        ],
    ),
    (Role::Clock, &["clock"]),
    (
        Role::Symbol,
        &["ticker", "symbol", "instrument", "valor", "pair"],
    ),
    (
        Role::Open,
        &[
            "open",
            "apertura",
            "ouv",
            "ouverture",
            "eroffn",
            "eroffnung",
            "o",
            "openprice",
        ],
    ),
    (
        Role::High,
        &[
            "high",
            "maximo",
            "plushaut",
            "haut",
            "hoch",
            "h",
            "highprice",
            "max",
        ],
    ),
    (
        Role::Low,
        &[
            "low", "minimo", "plusbas", "bas", "tief", "l", "lowprice", "min",
        ],
    ),
    (
        Role::Close,
        &[
            "close",
            "closelast",
            "ultimo",
            "cierre",
            "dernier",
            "cloture",
            "zuletzt",
            "schluss",
            "c",
            "closeprice",
            "last",
        ],
    ),
    (
        Role::Volume,
        &[
            "volume",
            "vol",
            "volumen",
            "v",
            "volumefrom",
            "basevolume",
            "tickvol",
        ],
    ),
    (
        Role::Trades,
        &[
            "transactions",
            "tradecount",
            "trades",
            "count",
            "numberoftrades",
        ],
    ),
    (Role::Price, &["price", "precio", "prix", "preis"]),
    (Role::Size, &["size", "qty", "quantity", "amount"]),
    (Role::Bid, &["bid", "bidprice"]),
    (Role::Ask, &["ask", "askprice", "offer"]),
    (Role::BidSize, &["bidvolume", "bidsize", "bidqty"]),
    (Role::AskSize, &["askvolume", "asksize", "askqty"]),
];

/// A name in lower case, without accents, and with letters and digits only.
pub(crate) fn folded(name: &str) -> String {
    let plain = |c: char| match c {
        'á' | 'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        other => other,
    };
    let lower = name.chars().flat_map(char::to_lowercase).map(plain);
    lower.filter(|c| c.is_alphanumeric()).collect()
}

/// Names of columns in Spanish, French and German.
const CONTINENTAL: [&str; 22] = [
    "fecha",
    "ultimo",
    "apertura",
    "maximo",
    "minimo",
    "cierre",
    "volumen",
    "precio",
    "dernier",
    "ouv",
    "ouverture",
    "plushaut",
    "plusbas",
    "haut",
    "bas",
    "cloture",
    "datum",
    "zuletzt",
    "eroffn",
    "hoch",
    "tief",
    "schluss",
];

/// Whether a header is in a language that writes the day before the month, and a
/// comma before decimals.
pub(crate) fn is_continental(header: &[String]) -> bool {
    let names = header.iter().map(|name| folded(name));
    names
        .into_iter()
        .any(|name| CONTINENTAL.contains(&name.as_str()))
}

/// Which column of a table has which role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(Vec<(Role, usize)>);

impl Columns {
    /// The roles of a table with this header.
    pub fn of_header<'h>(header: impl IntoIterator<Item = &'h str>) -> Self {
        let names: Vec<String> = header.into_iter().map(folded).collect();
        let at = |known: &&str| {
            names.iter().position(|name| {
                // Volumes are often named by what is traded, as in Volume BTC.
                name == known || (*known == "volume" && name.starts_with("volume"))
            })
        };
        let mut columns = Self::default();
        for (role, known) in NAMES {
            if let Some(at) = known.iter().find_map(at) {
                columns.0.push((role, at));
            }
        }
        columns.settle(&names);
        columns
    }

    /// Settles names that mean one thing in one table and another in the next.
    fn settle(&mut self, names: &[String]) {
        // A date and a time of day are two columns.
        let named = |name: &str| names.iter().position(|known| known == name);
        if let (Some(date), Some(time)) = (named("date"), named("time")) {
            self.set(Role::Time, date);
            self.set(Role::Clock, time);
        }
        // Investing.com's "Price" is the close of a bar.
        if self.find(Role::Close).is_none()
            && self.find(Role::High).is_some()
            && let Some(price) = self.find(Role::Price)
        {
            self.set(Role::Close, price);
            self.0.retain(|(role, _)| *role != Role::Price);
        }
    }

    pub(crate) fn set(&mut self, role: Role, at: usize) {
        self.0.retain(|(known, _)| *known != role);
        self.0.push((role, at));
    }

    /// Columns that are known without a header.
    pub(crate) fn of_roles(roles: &[(Role, usize)]) -> Self {
        Self(roles.to_vec())
    }

    /// Whether these are the columns of prices in time: of bars, of trades, or
    /// of quotes.
    pub(crate) fn is_table(&self) -> bool {
        let has = |roles: &[Role]| roles.iter().all(|role| self.find(*role).is_some());
        has(&[Role::Time])
            && (has(&[Role::Open, Role::High, Role::Low, Role::Close])
                || has(&[Role::Bid, Role::Ask])
                || has(&[Role::Price]))
    }

    /// The column of this role.
    pub fn find(&self, role: Role) -> Option<usize> {
        let mut columns = self.0.iter();
        columns.find_map(|(known, at)| (*known == role).then_some(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of time, open, high, low, close and volume.
    fn of(header: &str, separator: char) -> [Option<usize>; 6] {
        let columns = Columns::of_header(header.split(separator));
        [
            Role::Time,
            Role::Open,
            Role::High,
            Role::Low,
            Role::Close,
            Role::Volume,
        ]
        .map(|role| columns.find(role))
    }

    #[test]
    fn headers_of_many_sources() {
        for (header, separator, expect) in [
            (
                "Date,Open,High,Low,Close,Adj Close,Volume",
                ',',
                [0, 1, 2, 3, 4, 6],
            ),
            ("Price,Close,High,Low,Open,Volume", ',', [9, 4, 2, 3, 1, 5]),
            (
                "timestamp,open,high,low,close,volume",
                ',',
                [0, 1, 2, 3, 4, 5],
            ),
            (
                "Date,Close/Last,Volume,Open,High,Low",
                ',',
                [0, 3, 4, 5, 1, 2],
            ),
            (
                "Date;Price;Open;High;Low;Vol.;Change %",
                ';',
                [0, 2, 3, 4, 1, 5],
            ),
            (
                "Fecha;Último;Apertura;Máximo;Mínimo;Vol.;% var.",
                ';',
                [0, 2, 3, 4, 1, 5],
            ),
            (
                "Date;Dernier;Ouv.; Plus Haut;Plus Bas;Vol.;Variation %",
                ';',
                [0, 2, 3, 4, 1, 5],
            ),
            (
                "Datum;Zuletzt;Eröffn.;Hoch;Tief;Vol.;+/- %",
                ';',
                [0, 2, 3, 4, 1, 5],
            ),
            (
                "time,open,high,low,close,Volume,Volume MA",
                ',',
                [0, 1, 2, 3, 4, 5],
            ),
            (
                "Gmt time,Open,High,Low,Close,Volume",
                ',',
                [0, 1, 2, 3, 4, 5],
            ),
            (
                "ticker,volume,open,close,high,low,window_start,transactions",
                ',',
                [6, 2, 4, 5, 3, 1],
            ),
            (
                "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount",
                ',',
                [0, 3, 4, 5, 6, 7],
            ),
            (
                "date,symbol,open,high,low,close,VolumeFrom,VolumeTo",
                ',',
                [0, 2, 3, 4, 5, 6],
            ),
        ] {
            let expect = expect.map(|at| (at < 9).then_some(at));
            assert_eq!(of(header, separator), expect, "{header}");
        }
    }

    #[test]
    fn a_date_and_a_time_of_day_are_two_columns() {
        let header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>";
        let columns = Columns::of_header(header.split('\t'));
        assert_eq!(columns.find(Role::Time), Some(0));
        assert_eq!(columns.find(Role::Clock), Some(1));
        let quotes = Columns::of_header("Gmt time,Ask,Bid,AskVolume,BidVolume".split(','));
        assert_eq!(quotes.find(Role::Bid), Some(2));
        assert_eq!(quotes.find(Role::AskSize), Some(3));
        assert_eq!(quotes.find(Role::Open), None);
    }
}
