//! Implementations for tuples of 1 to 8 members.

/// Calls a macro with what is given, in brackets, and the names of the members: once for each number of them.
macro_rules! for_tuples {
    ($with:ident $(, $given:ident)*) => {
        $with!([$($given)*] A);
        $with!([$($given)*] A B);
        $with!([$($given)*] A B C);
        $with!([$($given)*] A B C D);
        $with!([$($given)*] A B C D E);
        $with!([$($given)*] A B C D E F);
        $with!([$($given)*] A B C D E F G);
        $with!([$($given)*] A B C D E F G H);
    };
}

/// Makes a list of an item of anything that is iterated over and of tuples, whose members convert to it: by `Into`, or by the
/// method of another trait, which tells what to write where one doesn't.
macro_rules! into_list {
    ($trait:ident, $method:ident, $item:ident $(, $into:ident, $convert:ident)?) => {
        into_list!(@iterated $trait, $method, $item $(, $into, $convert)?);
        $crate::shape::for_tuples!(into_list_of_tuple, $trait, $method, $item $(, $into, $convert)?);
    };
    (@iterated $trait:ident, $method:ident, $item:ident) => {
        impl<M: Into<$item>, I: IntoIterator<Item = M>> $trait<$crate::shape::Iterated> for I {
            fn $method(self) -> Vec<$item> {
                self.into_iter().map(Into::into).collect()
            }
        }
    };
    (@iterated $trait:ident, $method:ident, $item:ident, $into:ident, $convert:ident) => {
        impl<M: $into, I: IntoIterator<Item = M>> $trait<$crate::shape::Iterated> for I {
            fn $method(self) -> Vec<$item> {
                self.into_iter().map($into::$convert).collect()
            }
        }
    };
}

macro_rules! into_list_of_tuple {
    ([$trait:ident $method:ident $item:ident] $($name:ident)*) => {
        into_list_of_tuple!(@members $trait $method $item [Into<$item>] into $($name)*);
    };
    ([$trait:ident $method:ident $item:ident $into:ident $convert:ident] $($name:ident)*) => {
        into_list_of_tuple!(@members $trait $method $item [$into] $convert $($name)*);
    };
    (@members $trait:ident $method:ident $item:ident $bound:tt $convert:ident $($name:ident)*) => {
        into_list_of_tuple!(@impl $trait $method $item $convert [$($name $bound)*]);
    };
    (@impl $trait:ident $method:ident $item:ident $convert:ident [$($name:ident [$($bound:tt)*])*]) => {
        impl<$($name: $($bound)*),*> $trait<$crate::shape::Tuple> for ($($name,)*) {
            fn $method(self) -> Vec<$item> {
                #[expect(non_snake_case, reason = "one identifier serves as type and as binding")]
                let ($($name,)*) = self;
                vec![$($name.$convert()),*]
            }
        }
    };
}

pub(crate) use {for_tuples, into_list, into_list_of_tuple};
